-- The visits of some members on some visit days of each space: looked up in
-- the key, day by day. `offset 0`: as in day_members.sql.
select v.space, v.day - '1970-01-01'::date as day, v.member, v.in_at, v.out_at, v.end_reason = 0 as explicit, v.end_reason = 2 as cutoff,
       v.away, coalesce(v.method, 0) as method, coalesce(v.plan, 0) as plan, coalesce(v.team, 0) as team
from unnest(@spaces::int[], @firsts::int[], @stops::int[]) as asked (space, first, stop)
cross join generate_series(asked.first, asked.stop - 1) as d (day)
cross join lateral (
  select * from visits where space = asked.space and day = '1970-01-01'::date + d.day and member = any (@members::int[])
  offset 0
) v
order by v.in_at, v.space, v.member
