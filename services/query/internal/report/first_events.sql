-- When a space's life began, to the instant: only a report in another zone than
-- the space's own must know. Looked for within its first day alone.
select born.space, first.time
from unnest(@spaces::int[], @starts::timestamptz[], @ends::timestamptz[]) as born (space, start, stop)
cross join lateral (
  select min(time) as time from events
  where space = born.space and time >= born.start and time < born.stop and not voided
) first
where first.time is not null
