insert into public.sources as s (space, source, last_event)
select space, source, max(time) from public.events group by space, source order by space, source
on conflict (space, source) do update set last_event = excluded.last_event
