-- When a space's life began, to the instant: only a report in another zone than
-- the space's own must know. Looked for within its first day alone.
select e.space, min(e.time)
from unnest(@spaces::int[], @starts::timestamptz[], @ends::timestamptz[]) as born (space, start, stop)
join events e on e.space = born.space and e.time >= born.start and e.time < born.stop and not e.voided
group by e.space
