select space, max(last_event) from sources where space = any (@spaces::int[]) group by space order by space
