insert into sources as s (space, source, last_event, duplicates)
select space, source, last_event, duplicates
from unnest(@spaces::int[], @sources::int[], @times::timestamptz[], @duplicates::int8[]) as d (space, source, last_event, duplicates)
order by space, source
on conflict (space, source) do update
set last_event = greatest(s.last_event, excluded.last_event), duplicates = s.duplicates + excluded.duplicates
