-- How many tokens some members were handed. `offset 0`: as in day_members.sql.
select asked.member, t.tokens
from unnest(@members::int[]) as asked (member)
cross join lateral (
  select count(*) as tokens from tokens
  where member = asked.member and issued < @before::timestamptz and space = any (@spaces::int[])
  offset 0
) t
where t.tokens > 0
