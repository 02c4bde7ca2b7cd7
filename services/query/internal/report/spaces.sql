-- The state of the spaces that may be seen. `_` is no space: its version moves with what
-- is said of members. The newest number tells whether spaces came.
select s.id, s.space, s.settings, s.version,
       exists (select 1 from refile r where r.space = s.id) as refiling,
       (select min(complete_through) from watermarks) as complete_through,
       (select max(id) from spaces) as newest
from spaces s
where s.space = '_' or @visible::text[] is null or s.space = any (@visible::text[])
order by s.space
