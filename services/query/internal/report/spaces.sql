-- The state of the spaces that may be seen. `_` is no space: its version moves with what
-- is said of members. The newest number tells whether spaces came. The first day of a
-- space's life is that of its first event that counts; it is not looked for where it is
-- known as of this version, or nobody asks.
select s.id, s.space, s.settings, s.version,
       s.id in (select space from refile) as refiling,
       (select min(complete_through) from watermarks) as complete_through,
       (select max(id) from spaces) as newest,
       s.version is not distinct from known.version as is_known,
       case when s.version is distinct from known.version and s.space <> '_' and (@asked::text[] is null or s.space = any (@asked::text[])) then (
         select day - '1970-01-01'::date from space_day where space = s.id and events > 0 order by day limit 1
       ) end as first_day
from spaces s
left join unnest(@known::int4[], @versions::int8[]) as known (id, version) on known.id = s.id
where s.space = '_' or @visible::text[] is null or s.space = any (@visible::text[])
order by s.space
