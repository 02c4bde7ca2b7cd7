-- The tokens that each member was handed, and those of theirs that were used, in a
-- stretch of time of each space. `offset 0`: as in day_members.sql.
select t.member, count(*) filter (where not t.was_used) as issued, count(*) filter (where t.was_used) as used
from unnest(@spaces::int[], @starts::timestamptz[], @ends::timestamptz[]) as asked (space, start, stop)
cross join lateral (
  (select member, false as was_used from tokens where space = asked.space and issued >= asked.start and issued < asked.stop)
  union all
  (select member, true from tokens where space = asked.space and used >= asked.start and used < asked.stop)
  offset 0
) t
where t.member is not null
group by t.member
order by t.member
