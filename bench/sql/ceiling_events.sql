insert into ceiling_events (key, space, member, kind, time)
select key, space, member, kind, time
from batch
order by key
on conflict (key) do nothing
returning key
