-- The report is kept, so it names nobody: somebody may be erased later.
select 'members', 0, a.id::text, to_jsonb(a) - 'name', to_jsonb(b) - 'name'
from (select id, joined_at, plan, team, active, name from public.members) a
join (
  select m.id,
    (select c.joined_at from derived_member_changes c where c.member = m.id and c.joined_at is not null
     order by c.time desc, c.source desc, c.id desc limit 1) as joined_at,
    (select c.plan from derived_member_changes c where c.member = m.id and c.plan is not null
     order by c.time desc, c.source desc, c.id desc limit 1) as plan,
    (select c.team from derived_member_changes c where c.member = m.id and c.team is not null
     order by c.time desc, c.source desc, c.id desc limit 1) as team,
    (select c.active from derived_member_changes c where c.member = m.id and c.active is not null
     order by c.time desc, c.source desc, c.id desc limit 1) as active,
    (select c.name from derived_member_changes c where c.member = m.id and c.name is not null
     order by c.time desc, c.source desc, c.id desc limit 1) as name
  from public.members m
) b on a.id = b.id
where a is distinct from b
order by 3
