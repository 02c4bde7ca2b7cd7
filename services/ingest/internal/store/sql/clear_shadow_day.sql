with gone as (delete from space_day where space = @space and day = '1970-01-01'::date + @day::int),
     units as (delete from member_day where space = @space and day = '1970-01-01'::date + @day::int),
     visits as (delete from more_visits where space = @space and day = '1970-01-01'::date + @day::int)
delete from method_day where space = @space and day = '1970-01-01'::date + @day::int
