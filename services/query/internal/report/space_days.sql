-- What each visit day adds up to, for a stretch of days of each space. The slots
-- are wide: they are left behind where whole days are enough.
select s.space, s.day - '1970-01-01'::date as day, s.checkins, s.failed, s.visits, s.members, s.anonymous,
       s.estimated, s.dwell_us, case when @slots::boolean then s.slots end as slots
from unnest(@spaces::int[], @firsts::int[], @stops::int[]) as asked (space, first, stop)
join space_day s on s.space = asked.space
                and s.day >= '1970-01-01'::date + asked.first and s.day < '1970-01-01'::date + asked.stop
