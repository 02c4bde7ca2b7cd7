-- The old report reads no slot of a day that is not there. Versions follow from nothing.
select 'legacy_days', 0, b.day::text, to_jsonb(a), to_jsonb(b)
from (select distinct (slot at time zone 'UTC')::date as day from public.legacy_usage) b
left join (select day from public.legacy_days) a on a.day = b.day
where a.day is null
order by 3
