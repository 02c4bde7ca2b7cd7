-- What each visit day of stretches of days adds up to. `offset 0`: as in
-- day_members.sql.
select d.space, d.day - '1970-01-01'::date as day, d.version, d.checkins, d.failed, d.visits, d.members, d.anonymous, d.estimated,
       d.dwell_us, d.late, d.slots
from unnest(@spaces::int[], @firsts::int[], @stops::int[]) as asked (space, first, stop)
cross join lateral (
  select * from space_day
  where space = asked.space and day >= '1970-01-01'::date + asked.first and day < '1970-01-01'::date + asked.stop
  offset 0
) d
