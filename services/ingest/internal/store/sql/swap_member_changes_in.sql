insert into public.member_changes (key, member, time, source, id, joined_at, plan, team, active, name)
select key, member, time, source, id, joined_at, plan, team, active, name from derived_member_changes order by key
