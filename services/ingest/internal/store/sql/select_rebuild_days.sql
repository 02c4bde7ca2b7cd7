-- Every space-day that has a row, and every one that has events but no row.
select d.space, d.day - '1970-01-01'::date, s.space, coalesce(r.version, 0),
       exists (select 1 from public.refile q where q.space = d.space and q.day = d.day)
from (select space, day from public.space_day union select distinct space, day from public.events) d
join public.spaces s on s.id = d.space
left join public.space_day r on r.space = d.space and r.day = d.day
where (@spaces::text[] is null or s.space = any (@spaces))
  and (@from::int is null or d.day >= '1970-01-01'::date + @from)
  and (@to::int is null or d.day < '1970-01-01'::date + @to)
  and not coalesce(r.sealed, false)
order by 1, 2
