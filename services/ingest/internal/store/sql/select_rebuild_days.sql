-- Every space-day that has a row. Asked thoroughly, also every one that has only
-- events, or only what should have gone with its row.
select d.space, d.day - '1970-01-01'::date, s.space
from (
  select space, day from public.space_day
  union
  select distinct space, day from public.events where @thorough
  union
  select distinct space, day from public.member_day where @thorough
  union
  select distinct space, day from public.more_visits where @thorough
  union
  select distinct space, day from public.method_day where @thorough
) d
join public.spaces s on s.id = d.space
where (@spaces::text[] is null or s.space = any (@spaces))
  and (@from::int is null or d.day >= '1970-01-01'::date + @from)
  and (@to::int is null or d.day < '1970-01-01'::date + @to)
order by 1, 2
