select 'space_changes', coalesce(a.space, b.space), coalesce(a.key, b.key)::text, to_jsonb(a), to_jsonb(b)
from (select key, space, time, source, id, data from public.space_changes) a
full join (
  select e.key, e.space, e.time, s.name as source, e.id, e.data
  from public.events e join public.names k on k.id = e.kind join public.names s on s.id = e.source
  where k.name = 'space_upserted' and not e.voided and e.data is not null
) b on a.key = b.key
where a is distinct from b
order by 3
