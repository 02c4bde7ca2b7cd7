-- When each visit of a member began, up to an instant, in every space that may be
-- seen or in those that are asked for: what "first", "before" and "never" rest on.
select v.member, v.space, v.day - '1970-01-01'::date as day, v.in_at
from spaces s
cross join lateral (
  select member, space, day, in_at from visits
  where space = s.id and day < '1970-01-01'::date + @stop::int and in_at < @before::timestamptz and member is not null
  offset 0
) v
where s.space <> '_' and (@spaces::int[] is null or s.id = any (@spaces::int[]))
  and (@visible::text[] is null or s.space = any (@visible::text[]))
order by v.member, v.in_at, v.space
