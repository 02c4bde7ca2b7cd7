delete from legacy_visits where member = any (@members::int[]) and visits = 0
