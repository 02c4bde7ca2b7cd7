-- How many events each source sent in each of some stretches of time, in all of the
-- spaces. `offset 0`: as in stays.sql.
select w.n::int - 1 as n, e.source, count(*) as events
from unnest(@starts::timestamptz[], @ends::timestamptz[]) with ordinality as w (start, stop, n)
cross join lateral (
  select source from events
  where time >= w.start and time < w.stop and space = any (@spaces::int[]) and not voided
  offset 0
) e
group by w.n, e.source
order by w.n, e.source
