-- The version goes on, so that what was cached of the day is seen to be old.
insert into public.space_day as p (space, day, version, events, late, checkins, failed, visits, members, anonymous, orphans,
                                   estimated, dwell_us, dwell_estimated_us, slots)
select space, day, 1, events, late, checkins, failed, visits, members, anonymous, orphans, estimated, dwell_us,
       dwell_estimated_us, slots
from pg_temp.space_day
order by space, day
on conflict (space, day) do update set
  version = p.version + 1, events = excluded.events, late = excluded.late, checkins = excluded.checkins,
  failed = excluded.failed, visits = excluded.visits, members = excluded.members, anonymous = excluded.anonymous,
  orphans = excluded.orphans, estimated = excluded.estimated, dwell_us = excluded.dwell_us,
  dwell_estimated_us = excluded.dwell_estimated_us, slots = excluded.slots
