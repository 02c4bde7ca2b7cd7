-- Who had a visit on some days of spaces. `offset 0` has each day looked up in the key:
-- a join would be planned as a walk over every visit there is.
select asked.space, asked.day, v.member
from unnest(@spaces::int[], @days::int[]) as asked (space, day)
cross join lateral (
  select member from member_day
  where space = asked.space and day = '1970-01-01'::date + asked.day and in_at is not null
  order by member
  offset 0
) v
