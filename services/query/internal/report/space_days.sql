-- What each visit day of a stretch adds up to.
select day - '1970-01-01'::date as day, version, checkins, failed, visits, members, anonymous, estimated, dwell_us, late, slots
from space_day
where space = @space and day >= '1970-01-01'::date + @first::int and day < '1970-01-01'::date + @stop::int
order by day
