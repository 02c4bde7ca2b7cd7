delete from more_visits where space = @space and day = '1970-01-01'::date + @day::int
