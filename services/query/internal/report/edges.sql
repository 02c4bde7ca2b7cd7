-- Events of stretches that no rollup holds by itself: what a range cuts off a day
-- or a slot. Late is received more than 15 minutes after it happened.
select edge.n::int - 1 as n,
       count(*) filter (where k.name in ('checkin', 'token_used')) as checkins,
       count(*) filter (where k.name = 'checkin_failed') as failed,
       count(*) filter (where e.received - e.time > interval '15 minutes') as late
from unnest(@spaces::int[], @starts::timestamptz[], @ends::timestamptz[]) with ordinality as edge (space, start, stop, n)
join events e on e.space = edge.space and e.time >= edge.start and e.time < edge.stop and not e.voided
join names k on k.id = e.kind
group by edge.n
