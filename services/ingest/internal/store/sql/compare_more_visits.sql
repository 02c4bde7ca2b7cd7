select coalesce(a.space, b.space), coalesce(a.day, b.day) - '1970-01-01'::date, to_jsonb(a), to_jsonb(b)
from (
  select * from public.more_visits
  where (space, day) in (select space, '1970-01-01'::date + day from unnest(@spaces::int[], @days::int[]) k (space, day))
) a
full join pg_temp.more_visits b on a.space = b.space and a.day = b.day and a.member = b.member and a.n = b.n
where a is distinct from b
order by 1, 2
