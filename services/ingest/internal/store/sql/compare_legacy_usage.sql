select 'legacy_usage', 0, coalesce(a.slot, b.slot)::text, to_jsonb(a), to_jsonb(b)
from (select slot, used from public.legacy_usage) a
full join (
  select to_timestamp(floor(extract(epoch from issued) / 900) * 900) as slot, count(*) as used
  from public.tokens where issued is not null and used is not null group by 1
) b on a.slot = b.slot
where a is distinct from b
order by 3
