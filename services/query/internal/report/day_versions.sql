-- Which visit days of stretches of days have a row, and its version; a row a stretch.
-- `offset 0`: as in day_members.sql.
select asked.space, d.days, d.versions
from unnest(@spaces::int[], @firsts::int[], @stops::int[]) as asked (space, first, stop)
cross join lateral (
  select array_agg(day - '1970-01-01'::date) as days, array_agg(version) as versions
  from space_day
  where space = asked.space and day >= '1970-01-01'::date + asked.first and day < '1970-01-01'::date + asked.stop
  offset 0
) d
