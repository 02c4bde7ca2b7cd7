-- Each field by the latest word on it; a change says nothing of the fields that
-- it does not name.
update members m set
  joined_at = (select c.joined_at from member_changes c where c.member = m.id and c.joined_at is not null
               order by c.time desc, c.source desc, c.id desc limit 1),
  plan = (select c.plan from member_changes c where c.member = m.id and c.plan is not null
          order by c.time desc, c.source desc, c.id desc limit 1),
  team = (select c.team from member_changes c where c.member = m.id and c.team is not null
          order by c.time desc, c.source desc, c.id desc limit 1),
  active = (select c.active from member_changes c where c.member = m.id and c.active is not null
            order by c.time desc, c.source desc, c.id desc limit 1),
  name = (select c.name from member_changes c where c.member = m.id and c.name is not null
          order by c.time desc, c.source desc, c.id desc limit 1)
where m.id = any (@members::int[])
