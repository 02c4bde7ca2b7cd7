-- Duplicates are left out: no event tells of them.
select 'sources', coalesce(a.space, b.space), coalesce(n.name, ''), to_jsonb(a), to_jsonb(b)
from (select space, source, last_event from public.sources) a
full join (select space, source, max(time) as last_event from public.events group by space, source) b
  on a.space = b.space and a.source = b.source
left join public.names n on n.id = coalesce(a.source, b.source)
where a is distinct from b
order by 2, 3
