-- The earliest issue and the earliest use of each token, from its events.
create temporary table derived_tokens as
select t.space, t.token, i.time as issued, i.key as issued_key, i.member, i.expires_at, u.time as used, u.key as used_key
from (
  select distinct e.space, e.token from public.events e join public.names k on k.id = e.kind
  where e.token is not null and not e.voided and k.name in ('token_issued', 'token_used')
) t
left join lateral (
  select e.time, e.key, e.member, e.expires_at from public.events e join public.names k on k.id = e.kind
  where e.space = t.space and e.token = t.token and not e.voided and k.name = 'token_issued'
  order by e.time, e.key limit 1
) i on true
left join lateral (
  select e.time, e.key from public.events e join public.names k on k.id = e.kind
  where e.space = t.space and e.token = t.token and not e.voided and k.name = 'token_used'
  order by e.time, e.key limit 1
) u on true
