-- What some visit days of spaces add up to. `offset 0`: as in day_members.sql.
select asked.space, asked.day, d.version, d.checkins, d.failed, d.visits, d.members, d.anonymous, d.estimated, d.dwell_us, d.late,
       d.slots
from unnest(@spaces::int[], @days::int[]) as asked (space, day)
cross join lateral (
  select * from space_day where space = asked.space and day = '1970-01-01'::date + asked.day
  offset 0
) d
