update events set day = '1970-01-01'::date + @day::int
where space = @space and time >= @start and time < @end and day <> '1970-01-01'::date + @day::int
