-- The same of stretches that a range cuts off a visit day, from the events
-- themselves. A check-in has no reason. `offset 0`: as in stays.sql.
select coalesce(e.method, 0) as method, e.source, case when k.name = 'checkin_failed' then coalesce(e.reason, 0) else 0 end as reason,
       count(*) filter (where k.name <> 'checkin_failed') as checkins,
       count(*) filter (where k.name = 'checkin_failed') as failed
from unnest(@spaces::int[], @starts::timestamptz[], @ends::timestamptz[]) as edge (space, start, stop)
cross join lateral (
  select kind, method, source, reason from events
  where space = edge.space and time >= edge.start and time < edge.stop and not voided
  offset 0
) e
join names k on k.id = e.kind
where k.name in ('checkin', 'token_used', 'checkin_failed')
group by 1, 2, 3
order by 1, 2, 3
