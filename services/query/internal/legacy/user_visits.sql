select m.member, v.visits, m.joined_at
from legacy_visits v
join members m on m.id = v.member
where v.visits > 0
