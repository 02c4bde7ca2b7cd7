-- How people came, and why they were refused, on whole visit days.
select m.method, m.source, m.reason, sum(m.checkins) as checkins, sum(m.failed) as failed
from unnest(@spaces::int[], @firsts::int[], @stops::int[]) as asked (space, first, stop)
cross join lateral (
  select method, source, reason, checkins, failed from method_day
  where space = asked.space and day >= '1970-01-01'::date + asked.first and day < '1970-01-01'::date + asked.stop
  offset 0
) m
group by m.method, m.source, m.reason
order by m.method, m.source, m.reason
