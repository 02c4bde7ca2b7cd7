delete from public.sources s
where not exists (select 1 from public.events e where e.space = s.space and e.source = s.source)
