-- The same lock for one space-day that is computed anew, whatever it says so far.
select sealed from space_day where space = @space and day = '1970-01-01'::date + @day::int for update
