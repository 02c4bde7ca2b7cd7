update space_day set sealed = true, version = version + 1 where space = @space and day = '1970-01-01'::date + @day::int
