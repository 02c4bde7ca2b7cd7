-- How these space-days stand at this moment. A day without a row has version 0.
select k.space, k.day, coalesce(d.version, 0), coalesce(d.sealed, false),
       exists (select 1 from public.refile r where r.space = k.space and r.day = '1970-01-01'::date + k.day)
from unnest(@spaces::int[], @days::int[]) as k (space, day)
left join public.space_day d on d.space = k.space and d.day = '1970-01-01'::date + k.day
order by 1, 2
