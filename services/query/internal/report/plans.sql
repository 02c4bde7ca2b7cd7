-- What was said of members' plans and teams, a member's in order of time.
select member, time, coalesce(plan, 0) as plan, coalesce(team, 0) as team
from member_changes
where plan is not null or team is not null
order by member, time, source, id
