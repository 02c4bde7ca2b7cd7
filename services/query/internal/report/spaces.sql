-- The spaces that are asked for, all that may be seen if none is named, each with
-- the first day of its life. A space of no event that counts has none yet. `_` is
-- no space.
select s.id, s.space, s.settings, s.version, d.day - '1970-01-01'::date as first
from spaces s
left join lateral (
  select day from space_day where space = s.id and events > 0 order by day limit 1
) d on true
where s.space <> '_' and (@spaces::text[] is null or s.space = any (@spaces::text[]))
  and (@visible::text[] is null or s.space = any (@visible::text[]))
order by s.space
