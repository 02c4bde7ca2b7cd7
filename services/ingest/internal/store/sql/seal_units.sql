-- The visits stay; the events that they were folded from go.
update member_day set state = '' where space = @space and day = '1970-01-01'::date + @day::int
