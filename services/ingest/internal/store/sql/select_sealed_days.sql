select day - '1970-01-01'::date from space_day where space = @space and sealed order by day
