-- The tokens that each member was handed, and those of theirs that were used, in a
-- stretch of time of each space.
select t.member, count(*) filter (where t.issued >= asked.start and t.issued < asked.stop) as issued,
       count(*) filter (where t.used >= asked.start and t.used < asked.stop) as used
from unnest(@spaces::int[], @starts::timestamptz[], @ends::timestamptz[]) as asked (space, start, stop)
join tokens t on t.space = asked.space
where t.member is not null
group by t.member
order by t.member
