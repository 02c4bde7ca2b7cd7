-- The earliest issue and the earliest use of each token, from its events. What a
-- sealed day's events said of a token is in the token's own row alone.
create temporary table derived_tokens as
with said as (
  select e.space, e.token, k.name as kind, e.time, e.key, e.member, e.expires_at
  from public.events e
  join public.names k on k.id = e.kind
  where e.token is not null and not e.voided and k.name in ('token_issued', 'token_used')
  union all
  select t.space, t.token, 'token_issued', t.issued, t.issued_key, t.member, t.expires_at
  from public.tokens t
  join public.events e on e.key = t.issued_key
  join public.space_day d on d.space = e.space and d.day = e.day and d.sealed
  union all
  select t.space, t.token, 'token_used', t.used, t.used_key, null, null
  from public.tokens t
  join public.events e on e.key = t.used_key
  join public.space_day d on d.space = e.space and d.day = e.day and d.sealed
),
issues as (
  select distinct on (space, token) * from said where kind = 'token_issued' order by space, token, time, key
),
uses as (
  select distinct on (space, token) * from said where kind = 'token_used' order by space, token, time, key
)
select coalesce(i.space, u.space) as space, coalesce(i.token, u.token) as token, i.time as issued, i.key as issued_key, i.member,
       i.expires_at, u.time as used, u.key as used_key
from issues i
full join uses u on u.space = i.space and u.token = i.token
