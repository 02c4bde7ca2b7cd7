select space, time, source, id, data from space_changes where space = any (@spaces::int[])
