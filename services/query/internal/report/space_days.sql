-- What each visit day adds up to, for a stretch of days of each space. The slots
-- are wide: they are left behind where whole days are enough. `offset 0`: as in
-- stays.sql.
select d.space, d.day - '1970-01-01'::date as day, d.checkins, d.failed, d.visits, d.members, d.anonymous,
       d.estimated, d.dwell_us, case when @slots::boolean then d.slots end as slots
from unnest(@spaces::int[], @firsts::int[], @stops::int[]) as asked (space, first, stop)
cross join lateral (
  select * from space_day
  where space = asked.space and day >= '1970-01-01'::date + asked.first and day < '1970-01-01'::date + asked.stop
  offset 0
) d
