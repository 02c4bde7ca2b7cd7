-- The tokens that were used in a stretch of time of each space and whose issue nobody
-- knows: few, so that none of them is looked up by when it was used.
select t.space, t.used
from unnest(@spaces::int[], @starts::timestamptz[], @ends::timestamptz[]) as asked (space, start, stop)
cross join lateral (
  select * from tokens where space = asked.space and issued is null and used >= asked.start and used < asked.stop
  offset 0
) t
order by t.space, t.used, t.token
