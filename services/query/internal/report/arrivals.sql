-- When each visit of a member began, of some days of spaces. `offset 0`: as in
-- day_members.sql.
select asked.space, asked.day, v.member, v.in_at
from unnest(@spaces::int[], @days::int[]) as asked (space, day)
cross join lateral (
  select member, in_at from visits where space = asked.space and day = '1970-01-01'::date + asked.day and member is not null
  offset 0
) v
