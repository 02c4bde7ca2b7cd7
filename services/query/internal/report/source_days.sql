-- What can go wrong with a source, over a stretch of time: how late its slowest
-- events came (linear between the closest ranks; a clock that is ahead is not late),
-- and its check-outs that closed no visit. A check-out closes one if it is its end,
-- or the begin of time outside.
select e.source, percentile_cont(0.99) within group (order by greatest(extract(epoch from e.received - e.time), 0)) as late_p99,
       count(*) filter (where k.name = 'checkout' and not exists (
         select 1 from visits v
         where v.space = e.space and v.day = e.day and v.member = e.member
           and (v.end_reason = 0 and v.out_at = e.time or e.time = any (v.away))
       )) as orphans
from (
  select * from events
  where time >= @start::timestamptz and time < @stop::timestamptz and space = any (@spaces::int[]) and not voided
  offset 0
) e
join names k on k.id = e.kind
group by e.source
order by e.source
