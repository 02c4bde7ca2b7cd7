-- Events of stretches that no rollup holds by itself: what a range cuts off a day
-- or a slot. Late is received more than 15 minutes after it happened. `offset 0`:
-- as in stays.sql.
select edge.n::int - 1 as n,
       count(*) filter (where k.name in ('checkin', 'token_used')) as checkins,
       count(*) filter (where k.name = 'checkin_failed') as failed,
       count(*) filter (where e.received - e.time > interval '15 minutes') as late
from unnest(@spaces::int[], @starts::timestamptz[], @ends::timestamptz[]) with ordinality as edge (space, start, stop, n)
cross join lateral (
  select kind, time, received from events
  where space = edge.space and time >= edge.start and time < edge.stop and not voided
  offset 0
) e
join names k on k.id = e.kind
group by edge.n
