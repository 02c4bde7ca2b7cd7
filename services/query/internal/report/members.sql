-- What is known of members: of some, or of all.
select m.id, m.member, m.name, m.joined_at, m.active, m.plan, m.team
from members m
where @ids::int[] is null or m.id = any (@ids::int[])
order by m.id
