-- The visits of a stretch of visit days of each space. `offset 0` has the days
-- looked up for one space after the other: a join would be planned as a walk over
-- every visit there is. A visit that names no plan or team has the member's at that
-- time, which is looked up only where it matters.
select v.space, v.day - '1970-01-01'::date as day, coalesce(v.member, 0) as member, v.in_at, v.out_at,
       v.end_reason = 0 as explicit, v.end_reason = 2 as cutoff, coalesce(v.party_size, 1) as party_size, v.away,
       v.touches, v.last_touch, coalesce(v.method, 0) as method, coalesce(v.zone, 0) as zone,
       coalesce(v.plan, case when @plans::boolean then (
         select plan from member_changes
         where member = v.member and time <= v.in_at and plan is not null
         order by time desc, source desc, id desc limit 1
       ) end, 0) as plan,
       coalesce(v.team, case when @plans::boolean then (
         select team from member_changes
         where member = v.member and time <= v.in_at and team is not null
         order by time desc, source desc, id desc limit 1
       ) end, 0) as team
from unnest(@spaces::int[], @firsts::int[], @stops::int[]) as asked (space, first, stop)
cross join lateral (
  select * from visits
  where space = asked.space and day >= '1970-01-01'::date + asked.first and day < '1970-01-01'::date + asked.stop
  offset 0
) v
