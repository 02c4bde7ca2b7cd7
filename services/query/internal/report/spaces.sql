-- The state of the spaces that may be seen, each with the first day of its life: a
-- space of no event that counts has none yet. `_` is no space: its version moves with
-- what is said of members.
select s.id, s.space, s.settings, s.version, d.day - '1970-01-01'::date as first,
       exists (select 1 from refile r where r.space = s.id) as refiling,
       (select min(complete_through) from watermarks) as complete_through
from spaces s
left join lateral (
  select day from space_day where space = s.id and events > 0 order by day limit 1
) d on true
where s.space = '_' or @visible::text[] is null or s.space = any (@visible::text[])
order by s.space
