select 'member_changes', 0, coalesce(a.key, b.key)::text, to_jsonb(a), to_jsonb(b)
from (select key, member, time, source, id, joined_at, plan, team, active, name from public.member_changes) a
full join derived_member_changes b on a.key = b.key
where a is distinct from b
order by 3
