-- What was said, told and stayed, filed where the writer files it. The sums of
-- the days follow in the test's own Go.
insert into names (name)
select 'test'
union select unnest(array[kind, source, method, reason]) from told
union select unnest(array[method, zone, plan, team]) from stayed
union select unnest(array[plan, team]) from known
except select null;
insert into spaces (space, configured, settings, version)
select space, true, count(*), 1 from said group by space;
insert into space_changes (key, space, time, source, id, data)
select gen_random_uuid(), s.id, said.at, 'test', said.at::text, said.data from said join spaces s using (space);

-- The latest word on each field of a member holds.
insert into members (member, joined_at, plan, team, active, name)
select p.member,
       (select joined_at from known k where k.member = p.member and joined_at is not null order by at desc limit 1),
       (select n.id from known k join names n on n.name = k.plan where k.member = p.member order by at desc limit 1),
       (select n.id from known k join names n on n.name = k.team where k.member = p.member order by at desc limit 1),
       (select active from known k where k.member = p.member and active is not null order by at desc limit 1),
       (select name from known k where k.member = p.member and name is not null order by at desc limit 1)
from (select member from stayed union select member from known union select member from told) p
where p.member is not null
order by p.member;
insert into member_changes (key, member, time, source, id, joined_at, plan, team, active, name)
select gen_random_uuid(), m.id, k.at, 'test', k.at::text, k.joined_at, p.id, t.id, k.active, k.name
from known k
join members m using (member)
left join names p on p.name = k.plan
left join names t on t.name = k.team;

insert into events (key, space, source, id, kind, time, received, seq, day, content, member, method, reason, token, expires_at)
select gen_random_uuid(), s.id, source.id, 'e' || row_number() over (), k.id, t.at, coalesce(t.received, t.at),
       row_number() over (), t.at::date, 1, m.id, method.id, reason.id, t.token, t.expires_at
from told t
join spaces s using (space)
join names k on k.name = t.kind
join names source on source.name = t.source
left join members m using (member)
left join names method on method.name = t.method
left join names reason on reason.name = t.reason;

insert into sources (space, source, last_event)
select space, source, max(time) from events group by space, source;

-- The earliest issue and the earliest use of a token hold.
insert into tokens (space, token, issued, member, expires_at, used)
select s.id, t.token, min(t.at) filter (where t.kind = 'token_issued'),
       (array_agg(m.id order by t.at) filter (where t.kind = 'token_issued'))[1],
       (array_agg(t.expires_at order by t.at) filter (where t.kind = 'token_issued'))[1],
       min(t.at) filter (where t.kind = 'token_used')
from told t
join spaces s using (space)
left join members m using (member)
where t.kind in ('token_issued', 'token_used') and t.token is not null
group by s.id, t.token;

create temporary table numbered as
select s.id as space, v.day, coalesce(m.id, 0) as member, v.in_at, v.out_at,
       array_position(array['explicit', 'timeout', 'cutoff'], v.ended) - 1 as end_reason, coalesce(v.party, 1) as party, v.away,
       row_number() over (partition by s.id, v.day, m.id order by v.in_at) - case when m.id is null then 0 else 1 end as n,
       method.id as method, zone.id as zone, plan.id as plan, team.id as team
from stayed v
join spaces s using (space)
left join members m using (member)
left join names method on method.name = v.method
left join names zone on zone.name = v.zone
left join names plan on plan.name = v.plan
left join names team on team.name = v.team;
insert into member_day (space, day, member, visits, checkins, in_at, out_at, end_reason, touches, party_size, away, last_touch, method, zone, plan, team, state)
select space, day, member, (select count(*) from numbered o where (o.space, o.day, o.member) = (v.space, v.day, v.member)), 1,
       in_at, out_at, end_reason, 1, party, away, in_at, method, zone, plan, team, ''
from numbered v where member <> 0 and n = 0;
insert into more_visits (space, day, member, n, in_at, out_at, end_reason, touches, party_size, away, last_touch, method, zone, plan, team)
select space, day, member, n, in_at, out_at, end_reason, 1, party, away, in_at, method, zone, plan, team
from numbered where member = 0 or n > 0;
