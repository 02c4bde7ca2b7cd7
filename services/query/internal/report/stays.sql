-- The visits of a stretch of visit days of each space.
select v.space, v.day - '1970-01-01'::date as day, coalesce(v.member, 0) as member, v.in_at, v.out_at,
       v.end_reason = 0 as explicit, coalesce(v.party_size, 1) as party_size, v.away
from unnest(@spaces::int[], @firsts::int[], @stops::int[]) as asked (space, first, stop)
join visits v on v.space = asked.space
             and v.day >= '1970-01-01'::date + asked.first and v.day < '1970-01-01'::date + asked.stop
