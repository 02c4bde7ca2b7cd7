-- The tokens that were issued in a stretch of time of each space. `offset 0`: as in
-- day_members.sql.
select t.space, t.issued, t.used, t.expires_at, coalesce(t.member, 0) as member
from unnest(@spaces::int[], @starts::timestamptz[], @ends::timestamptz[]) as asked (space, start, stop)
cross join lateral (
  select * from tokens where space = asked.space and issued >= asked.start and issued < asked.stop
  offset 0
) t
order by t.space, t.issued, t.token
