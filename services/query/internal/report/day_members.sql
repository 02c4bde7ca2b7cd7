-- Who had a visit on some days of spaces; a row a day, since a row a member would take
-- longer to send. `offset 0` has each day looked up in the key: a join would be
-- planned as a walk over every visit there is.
select asked.space, asked.day, v.members
from unnest(@spaces::int[], @days::int[]) as asked (space, day)
cross join lateral (
  select array_agg(member) as members from member_day
  where space = asked.space and day = '1970-01-01'::date + asked.day and in_at is not null
  offset 0
) v
