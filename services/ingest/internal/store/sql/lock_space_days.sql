-- The lock that serialises the writers of a space-day, taken in one order. What
-- is read afterwards, in a statement of its own, sees what the last one committed.
select s.space, s.day - '1970-01-01'::date, s.version, s.sealed,
       exists (select 1 from refile r where r.space = s.space and r.day = s.day), s.events, s.late, s.checkins, s.failed, s.visits,
       s.members, s.anonymous, s.orphans, s.estimated, s.dwell_us, s.dwell_estimated_us, s.slots
from unnest(@spaces::int[], @days::int[]) as touched (space, day)
join space_day s on s.space = touched.space and s.day = '1970-01-01'::date + touched.day
order by s.space, s.day
for update of s
