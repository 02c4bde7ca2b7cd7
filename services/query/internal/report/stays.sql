-- The visits of a stretch of visit days of each space. `offset 0` has the days
-- looked up for one space after the other: a join would be planned as a walk over
-- every visit there is.
select v.space, v.day - '1970-01-01'::date as day, coalesce(v.member, 0) as member, v.in_at, v.out_at,
       v.end_reason = 0 as explicit, coalesce(v.party_size, 1) as party_size, v.away
from unnest(@spaces::int[], @firsts::int[], @stops::int[]) as asked (space, first, stop)
cross join lateral (
  select * from visits
  where space = asked.space and day >= '1970-01-01'::date + asked.first and day < '1970-01-01'::date + asked.stop
  offset 0
) v
