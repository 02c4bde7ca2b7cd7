-- What was said of members, from the events that said it.
create temporary table derived_member_changes as
select e.key, e.member, e.time, s.name as source, e.id, (e.data ->> 'joined_at')::timestamptz as joined_at, e.plan, e.team,
       (e.data ->> 'active')::boolean as active, e.data ->> 'name' as name
from public.events e
join public.names k on k.id = e.kind
join public.names s on s.id = e.source
where k.name = 'member_upserted' and not e.voided and e.member is not null and e.data is not null
