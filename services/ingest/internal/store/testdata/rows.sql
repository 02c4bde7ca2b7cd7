-- Every row of every table as a line of text, with words instead of numbers, so
-- that two databases can be compared, and each with the oracle. Zeroed rows are
-- left out: a day from which everything was taken back is as if it had never been.
select concat_ws('|', 'events', s.space, src.name, e.id, k.name, to_char(e.time, 'YYYY-MM-DD HH24:MI:SS.US'),
         to_char(e.received, 'YYYY-MM-DD HH24:MI:SS.US'), e.seq, e.day, e.content, coalesce(m.member, ''),
         coalesce(me.name, ''), coalesce(z.name, ''), coalesce(d.name, ''), coalesce(p.name, ''), coalesce(t.name, ''),
         coalesce(r.name, ''), coalesce(e.party_size::text, ''), coalesce(e.token, ''),
         coalesce(to_char(e.expires_at, 'YYYY-MM-DD HH24:MI:SS.US'), ''), e.voided::text) as line
from events e
join spaces s on s.id = e.space
join names src on src.id = e.source
join names k on k.id = e.kind
left join members m on m.id = e.member
left join names me on me.id = e.method
left join names z on z.id = e.zone
left join names d on d.id = e.device
left join names p on p.id = e.plan
left join names t on t.id = e.team
left join names r on r.id = e.reason
union all
select concat_ws('|', 'voids', replace(target::text, '-', '')) from voids
union all
select concat_ws('|', 'member_day', s.space, u.day, m.member, u.visits, u.checkins, u.orphans)
from member_day u join spaces s on s.id = u.space join members m on m.id = u.member
union all
select concat_ws('|', 'visits', s.space, v.day, coalesce(m.member, ''), case when v.member is null then 0 else v.n end,
         to_char(v.in_at, 'YYYY-MM-DD HH24:MI:SS.US'), to_char(v.out_at, 'YYYY-MM-DD HH24:MI:SS.US'), v.end_reason, v.touches,
         v.party_size, coalesce((select string_agg(to_char(a, 'YYYY-MM-DD HH24:MI:SS.US'), ',' order by a) from unnest(v.away) a), ''),
         to_char(v.last_touch, 'YYYY-MM-DD HH24:MI:SS.US'), coalesce(me.name, ''), coalesce(z.name, ''), coalesce(p.name, ''),
         coalesce(t.name, ''))
from visits v
join spaces s on s.id = v.space
left join members m on m.id = v.member
left join names me on me.id = v.method
left join names z on z.id = v.zone
left join names p on p.id = v.plan
left join names t on t.id = v.team
union all
select concat_ws('|', 'space_day', s.space, d.day, d.events, d.late, d.checkins, d.failed, d.visits, d.members, d.anonymous,
         d.orphans, d.estimated, d.dwell_us, d.dwell_estimated_us, encode(coalesce(d.slots, ''), 'hex'))
from space_day d join spaces s on s.id = d.space
where row(d.events, d.late, d.checkins, d.failed, d.visits, d.members, d.anonymous, d.orphans, d.estimated, d.dwell_us,
          d.dwell_estimated_us, coalesce(d.slots, '')) is distinct from row(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ''::bytea)
union all
select concat_ws('|', 'method_day', s.space, d.day, coalesce(m.name, ''), src.name, coalesce(r.name, ''), d.checkins, d.failed)
from method_day d
join spaces s on s.id = d.space
join names src on src.id = d.source
left join names m on m.id = d.method
left join names r on r.id = d.reason
union all
select concat_ws('|', 'tokens', s.space, t.token, coalesce(to_char(t.issued, 'YYYY-MM-DD HH24:MI:SS.US'), ''),
         coalesce(replace(t.issued_key::text, '-', ''), ''), coalesce(m.member, ''),
         coalesce(to_char(t.expires_at, 'YYYY-MM-DD HH24:MI:SS.US'), ''), coalesce(to_char(t.used, 'YYYY-MM-DD HH24:MI:SS.US'), ''),
         coalesce(replace(t.used_key::text, '-', ''), ''))
from tokens t join spaces s on s.id = t.space left join members m on m.id = t.member
union all
select concat_ws('|', 'legacy_usage', to_char(slot, 'YYYY-MM-DD HH24:MI:SS.US'), used) from legacy_usage
union all
select concat_ws('|', 'legacy_visits', m.member, l.visits) from legacy_visits l join members m on m.id = l.member
union all
select concat_ws('|', 'members', m.member, coalesce(to_char(m.joined_at, 'YYYY-MM-DD HH24:MI:SS.US'), ''), coalesce(p.name, ''),
         coalesce(t.name, ''), coalesce(m.active::text, ''), coalesce(m.name, ''))
from members m left join names p on p.id = m.plan left join names t on t.id = m.team
union all
select concat_ws('|', 'member_changes', m.member, to_char(c.time, 'YYYY-MM-DD HH24:MI:SS.US'), c.source, c.id,
         coalesce(to_char(c.joined_at, 'YYYY-MM-DD HH24:MI:SS.US'), ''), coalesce(p.name, ''), coalesce(t.name, ''),
         coalesce(c.active::text, ''), coalesce(c.name, ''))
from member_changes c
join members m on m.id = c.member
left join names p on p.id = c.plan
left join names t on t.id = c.team
union all
select concat_ws('|', 'sources', s.space, n.name, to_char(x.last_event, 'YYYY-MM-DD HH24:MI:SS.US'))
from sources x join spaces s on s.id = x.space join names n on n.id = x.source
union all
select concat_ws('|', 'spaces', space, configured::text) from spaces
union all
select concat_ws('|', 'space_changes', s.space, to_char(c.time, 'YYYY-MM-DD HH24:MI:SS.US'), c.source, c.id,
         coalesce(c.data ->> 'name', ''), coalesce(c.data ->> 'time_zone', ''), coalesce(c.data ->> 'capacity', ''),
         coalesce(c.data ->> 'day_start', ''), coalesce(c.data ->> 'default_stay', ''), coalesce(c.data ->> 'effective_from', ''))
from space_changes c join spaces s on s.id = c.space
union all
select concat_ws('|', 'dead_letters', seq, code) from dead_letters
union all
select concat_ws('|', 'refile', space, day) from refile
