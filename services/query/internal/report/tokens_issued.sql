-- The tokens that were issued on visit days of spaces; a row a day, since a row a token
-- would take longer to send. Where nothing was said of a use or of an end there is an
-- instant that never comes, or was before all: arrays without nulls are read faster.
-- `offset 0`: as in day_members.sql.
select asked.space, asked.day, t.issued, t.used, t.expires, t.members
from unnest(@spaces::int[], @days::int[], @starts::timestamptz[], @ends::timestamptz[]) as asked (space, day, start, stop)
cross join lateral (
  select array_agg(issued) as issued, array_agg(coalesce(used, 'infinity')) as used,
         array_agg(coalesce(expires_at, '-infinity')) as expires, array_agg(coalesce(member, 0)) as members
  from tokens where space = asked.space and issued >= asked.start and issued < asked.stop
  offset 0
) t
where t.issued is not null
