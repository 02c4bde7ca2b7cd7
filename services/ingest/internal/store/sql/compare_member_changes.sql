-- The report is kept, so it names nobody: somebody may be erased later.
select 'member_changes', 0, coalesce(a.key, b.key)::text, to_jsonb(a) - 'name', to_jsonb(b) - 'name'
from (select key, member, time, source, id, joined_at, plan, team, active, name from public.member_changes) a
full join derived_member_changes b on a.key = b.key
where a is distinct from b
order by 3
