insert into public.legacy_usage (slot, used)
select to_timestamp(floor(extract(epoch from issued) / 900) * 900), count(*)
from public.tokens where issued is not null and used is not null group by 1 order by 1
