select coalesce(a.space, b.space), coalesce(a.day, b.day) - '1970-01-01'::date, to_jsonb(a), to_jsonb(b)
from (
  select * from public.method_day
  where (space, day) in (select space, '1970-01-01'::date + day from unnest(@spaces::int[], @days::int[]) k (space, day))
) a
full join pg_temp.method_day b
  on a.space = b.space and a.day = b.day and a.method = b.method and a.source = b.source and a.reason = b.reason
where a is distinct from b
order by 1, 2
