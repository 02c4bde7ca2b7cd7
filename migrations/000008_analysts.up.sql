-- What analysts and their tools may read: views in plain words, and two roles that may
-- read these views and nothing else. docs/sql.md is their page; a test holds it against
-- the comments here.

create view report_spaces as
select s.space, s.configured, d.first_day, d.last_day, coalesce(d.events, 0) as events
from spaces s
left join (
  select space, min(day) as first_day, max(day) as last_day, sum(events) as events from space_day where events > 0 group by space
) d on d.space = s.id
where s.space <> '_';
comment on view report_spaces is 'One row a space that any event named.';
comment on column report_spaces.space is 'The space.';
comment on column report_spaces.configured is 'Somebody said what its zone is; if not, its days are UTC.';
comment on column report_spaces.first_day is 'The visit day of its first event; null without one.';
comment on column report_spaces.last_day is 'The visit day of its last event.';
comment on column report_spaces.events is 'Events that count: accepted, and not taken back.';

create view report_days as
select s.space, d.day, d.checkins, d.failed, d.visits, d.members as unique_members, d.anonymous as anonymous_visits,
       d.estimated as estimated_visits, (d.dwell_us / 3600e6)::float8 as visitor_hours,
       (d.dwell_estimated_us / 3600e6)::float8 as visitor_hours_estimated, d.orphans as orphan_checkouts, d.events, d.late as late_events
from space_day d
join spaces s on s.id = d.space
where s.space <> '_' and d.events > 0;
comment on view report_days is 'One row a space and visit day on which anything happened. A visit day is the space''s own: it begins at its day_start in its zone.';
comment on column report_days.space is 'The space.';
comment on column report_days.day is 'The visit day.';
comment on column report_days.checkins is 'Check-ins, also those by token and those that only touched an open visit.';
comment on column report_days.failed is 'Refusals at the door.';
comment on column report_days.visits is 'Visits that began.';
comment on column report_days.unique_members is 'Different members among them. Not to be added up over days or spaces.';
comment on column report_days.anonymous_visits is 'Visits of somebody unknown.';
comment on column report_days.estimated_visits is 'Visits whose end was inferred, since nobody checked out.';
comment on column report_days.visitor_hours is 'Hours inside, times the people of each visit; visits that go on count to their expected end.';
comment on column report_days.visitor_hours_estimated is 'The part of them in visits whose end was inferred.';
comment on column report_days.orphan_checkouts is 'Check-outs that closed no visit.';
comment on column report_days.events is 'Events that count.';
comment on column report_days.late_events is 'Of these, received more than 15 minutes after their time.';

create view report_slots as
select s.space, d.day, p.slot, make_interval(mins => 15 * p.slot) as since_day_start, p.checkins, p.failed, p.arrivals, p.anonymous,
       p.departures_explicit, p.departures_estimated, (p.presence_us / 3600e6)::float8 as people_hours
from space_day d
join spaces s on s.id = d.space
cross join lateral day_slots(d.slots) p
where s.space <> '_';
comment on view report_slots is 'One row a quarter of an hour of a visit day, up to the last one in which anything happened. Slot 0 begins where the visit day begins; on a night when clocks change, days have 92 or 100 slots.';
comment on column report_slots.space is 'The space.';
comment on column report_slots.day is 'The visit day.';
comment on column report_slots.slot is 'The number of the quarter, from 0.';
comment on column report_slots.since_day_start is 'How long after the begin of the visit day it begins.';
comment on column report_slots.checkins is 'Check-ins.';
comment on column report_slots.failed is 'Refusals at the door.';
comment on column report_slots.arrivals is 'Visits that began, of members and of others.';
comment on column report_slots.anonymous is 'Of these, visits of somebody unknown.';
comment on column report_slots.departures_explicit is 'Visits that a check-out ended.';
comment on column report_slots.departures_estimated is 'Visits whose end was inferred.';
comment on column report_slots.people_hours is 'Hours inside, times people: four times it is the mean number of people.';

create view report_methods as
select s.space, m.day, method.name as method, source.name as source, reason.name as reason, m.checkins, m.failed
from method_day m
join spaces s on s.id = m.space
join names source on source.id = m.source
left join names method on method.id = m.method
left join names reason on reason.id = m.reason
where s.space <> '_';
comment on view report_methods is 'One row a space, visit day, way to come in, source and reason of refusal.';
comment on column report_methods.space is 'The space.';
comment on column report_methods.day is 'The visit day.';
comment on column report_methods.method is 'How somebody came in, or tried to: door, kiosk, app, …; null if the source did not say.';
comment on column report_methods.source is 'The device or system that told of it.';
comment on column report_methods.reason is 'Why somebody was refused; null for check-ins, and where nobody said.';
comment on column report_methods.checkins is 'Check-ins.';
comment on column report_methods.failed is 'Refusals.';

create view report_tokens as
select s.space, t.issued, t.used, coalesce(t.expires_at, t.issued + interval '24 hours') as expires,
       case
         when t.used is not null then 'used'
         when t.issued is null then null
         when coalesce(t.expires_at, t.issued + interval '24 hours') > now() then 'pending'
         else 'expired'
       end as state,
       extract(epoch from t.used - t.issued)::float8 as latency_seconds
from tokens t
join spaces s on s.id = t.space
where t.issued is not null or t.used is not null;
comment on view report_tokens is 'One row a one-time token. Its text is left out: whoever knows it can open a door.';
comment on column report_tokens.space is 'The space.';
comment on column report_tokens.issued is 'When it was handed out; null if nobody told.';
comment on column report_tokens.used is 'When it was first used; null if it was not.';
comment on column report_tokens.expires is 'When it expires: as its issuer said, or a day after its issue.';
comment on column report_tokens.state is 'used, pending or expired, as of now.';
comment on column report_tokens.latency_seconds is 'From issue to use; below 0 where two clocks disagree.';

create view report_members as
select m.member, m.name, plan.name as plan, team.name as team, m.active, m.joined_at
from members m
left join names plan on plan.id = m.plan
left join names team on team.id = m.team;
comment on view report_members is 'One row a person: what was last said of them. Personal data.';
comment on column report_members.member is 'The member''s id, as sources say it.';
comment on column report_members.name is 'Their name; null if nobody said.';
comment on column report_members.plan is 'Their plan now.';
comment on column report_members.team is 'Their team now.';
comment on column report_members.active is 'Whether they are a member still; null if nobody said.';
comment on column report_members.joined_at is 'When they joined. It is not their first visit: members do come before they join.';

create view report_visits as
select s.space, v.day, m.member, v.in_at, v.out_at,
       case v.end_reason when 0 then 'explicit' when 1 then 'timeout' else 'cutoff' end as end_reason,
       (extract(epoch from v.out_at - v.in_at - coalesce(away.long, interval '0')) / 60)::float8 as dwell_minutes,
       coalesce(v.party_size, 1) as party_size, method.name as method, zone.name as zone, plan.name as plan, team.name as team
from visits v
join spaces s on s.id = v.space
left join members m on m.id = v.member
-- A visit that names no plan or team has the member's at that time.
left join lateral (
  select (array_agg(c.plan order by c.time desc, c.source desc, c.id desc) filter (where c.plan is not null))[1] as plan,
         (array_agg(c.team order by c.time desc, c.source desc, c.id desc) filter (where c.team is not null))[1] as team
  from member_changes c
  where c.member = v.member and c.time <= v.in_at and (v.plan is null or v.team is null)
) known on true
left join lateral (
  select sum(v.away[2 * n] - v.away[2 * n - 1]) as long from generate_series(1, cardinality(v.away) / 2) as n
) away on true
left join names method on method.id = v.method
left join names zone on zone.id = v.zone
left join names plan on plan.id = coalesce(v.plan, known.plan)
left join names team on team.id = coalesce(v.team, known.team)
where s.space <> '_';
comment on view report_visits is 'One row a visit, with its final end: that of a visit that goes on may lie ahead. Personal data.';
comment on column report_visits.space is 'The space.';
comment on column report_visits.day is 'The visit day on which it began.';
comment on column report_visits.member is 'Who; null if nobody knows.';
comment on column report_visits.in_at is 'When it began.';
comment on column report_visits.out_at is 'When it ended, or is expected to end.';
comment on column report_visits.end_reason is 'explicit: a check-out; timeout: the space''s default stay after the last trace; cutoff: the end of the day. The last two are estimates.';
comment on column report_visits.dwell_minutes is 'Minutes inside, without time between a check-out and a return within the hour.';
comment on column report_visits.party_size is 'How many people came.';
comment on column report_visits.method is 'How they came in.';
comment on column report_visits.zone is 'The part of the space in which it began.';
comment on column report_visits.plan is 'The plan of the visit, or else the member''s at that time.';
comment on column report_visits.team is 'The team, likewise.';

create view report_member_days as
select s.space, d.day, m.member, d.visits, d.checkins, d.orphans as orphan_checkouts
from member_day d
join spaces s on s.id = d.space
join members m on m.id = d.member
where s.space <> '_';
comment on view report_member_days is 'One row a member, space and visit day on which an event of theirs counts. Personal data.';
comment on column report_member_days.space is 'The space.';
comment on column report_member_days.day is 'The visit day.';
comment on column report_member_days.member is 'Who.';
comment on column report_member_days.visits is 'Visits that began; 0 where only other events came.';
comment on column report_member_days.checkins is 'Check-ins.';
comment on column report_member_days.orphan_checkouts is 'Check-outs that closed no visit.';

-- Roles belong to the server, not to a database: another database may have made them,
-- or be making them at this moment. Who may not make roles is told what to run.
do $$
declare
  role text;
begin
  foreach role in array array['report_reader', 'report_reader_personal'] loop
    if not exists (select from pg_roles where rolname = role) then
      begin
        execute format('create role %I nologin', role);
      exception
        when duplicate_object or unique_violation then null;
        when insufficient_privilege then
          raise notice 'this user may not make roles: have somebody run "create role % nologin", and grant select on the report_ views to it', role;
      end;
    end if;
  end loop;
  if exists (select from pg_roles where rolname = 'report_reader') then
    grant select on report_spaces, report_days, report_slots, report_methods, report_tokens to report_reader;
  end if;
  if exists (select from pg_roles where rolname = 'report_reader_personal') then
    grant select on report_spaces, report_days, report_slots, report_methods, report_tokens, report_members, report_visits, report_member_days
      to report_reader_personal;
  end if;
end
$$;
