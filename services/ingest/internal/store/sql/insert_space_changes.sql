insert into space_changes (key, space, time, source, id, data)
select key, space, time, source, id, data::jsonb
from unnest(@keys::uuid[], @spaces::int[], @times::timestamptz[], @sources::text[], @ids::text[], @data::text[])
  as c (key, space, time, source, id, data)
order by key
