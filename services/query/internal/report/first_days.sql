-- The first day of the life of each space: one of no event that counts has none yet.
select s.id, d.day - '1970-01-01'::date as first
from unnest(@spaces::int4[]) as s (id)
left join lateral (
  select day from space_day where space = s.id and events > 0 order by day limit 1
) d on true
order by s.id
