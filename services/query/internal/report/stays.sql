-- The visits of some days of spaces. `offset 0`: as in day_members.sql.
select asked.space, asked.day, coalesce(v.member, 0) as member, v.in_at, v.out_at, v.end_reason = 0 as explicit, v.end_reason = 2 as cutoff,
       coalesce(v.party_size, 1) as party_size, v.away, v.touches, v.last_touch,
       coalesce(v.method, 0) as method, coalesce(v.zone, 0) as zone, coalesce(v.plan, 0) as plan, coalesce(v.team, 0) as team
from unnest(@spaces::int[], @days::int[]) as asked (space, day)
cross join lateral (
  select * from visits where space = asked.space and day = '1970-01-01'::date + asked.day
  offset 0
) v
order by asked.space, asked.day, v.in_at, v.member, v.n
