select 'legacy_visits', 0, coalesce(a.member, b.member)::text, to_jsonb(a), to_jsonb(b)
from (select member, visits from public.legacy_visits) a
full join (
  select member, count(*) as visits from public.tokens where issued is not null and member is not null group by member
) b on a.member = b.member
where a is distinct from b
order by 3
