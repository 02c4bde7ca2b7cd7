delete from legacy_usage where slot = any (@slots::timestamptz[]) and used = 0
