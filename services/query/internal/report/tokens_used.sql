-- The tokens that were used on visit days of spaces, and whose they were. As in
-- tokens_issued.sql.
select asked.space, asked.day, t.used, t.members
from unnest(@spaces::int[], @days::int[], @starts::timestamptz[], @ends::timestamptz[]) as asked (space, day, start, stop)
cross join lateral (
  select array_agg(used) as used, array_agg(coalesce(member, 0)) as members
  from tokens where space = asked.space and used >= asked.start and used < asked.stop
  offset 0
) t
where t.used is not null
