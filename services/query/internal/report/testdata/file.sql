-- What was said, told and stayed, filed where the writer files it. The sums of
-- the days follow in the test's own Go.
insert into names (name) select 'test' union select kind from told;
insert into spaces (space, configured, settings, version)
select space, true, count(*), 1 from said group by space;
insert into space_changes (key, space, time, source, id, data)
select gen_random_uuid(), s.id, said.at, 'test', said.at::text, said.data from said join spaces s using (space);
insert into members (member) select distinct member from stayed where member is not null;

insert into events (key, space, source, id, kind, time, received, seq, day, content)
select gen_random_uuid(), s.id, source.id, 'e' || row_number() over (), k.id, t.at, coalesce(t.received, t.at),
       row_number() over (), t.at::date, 1
from told t
join spaces s using (space)
join names k on k.name = t.kind
join names source on source.name = 'test';

create temporary table numbered as
select s.id as space, v.day, coalesce(m.id, 0) as member, v.in_at, v.out_at,
       array_position(array['explicit', 'timeout', 'cutoff'], v.ended) - 1 as end_reason, coalesce(v.party, 1) as party, v.away,
       row_number() over (partition by s.id, v.day, m.id order by v.in_at) - case when m.id is null then 0 else 1 end as n
from stayed v
join spaces s using (space)
left join members m using (member);
insert into member_day (space, day, member, visits, checkins, in_at, out_at, end_reason, touches, party_size, away, last_touch, state)
select space, day, member, (select count(*) from numbered o where (o.space, o.day, o.member) = (v.space, v.day, v.member)), 1,
       in_at, out_at, end_reason, 1, party, away, in_at, ''
from numbered v where member <> 0 and n = 0;
insert into more_visits (space, day, member, n, in_at, out_at, end_reason, touches, party_size, away, last_touch)
select space, day, member, n, in_at, out_at, end_reason, 1, party, away, in_at
from numbered where member = 0 or n > 0;
