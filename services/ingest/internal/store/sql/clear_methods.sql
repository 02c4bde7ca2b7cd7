delete from method_day where space = @space and day = '1970-01-01'::date + @day::int
