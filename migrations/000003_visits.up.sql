-- Visits: what the events of one member on one visit day of one space fold into.

-- One row a unit: its events, packed, and its first visit, inline, because most
-- units have one. dwell_us and away are microseconds and [out, in, …] pairs.
create table member_day (
  space      int4 not null,
  day        date not null,
  member     int4 not null,
  visits     int4 not null default 0,
  checkins   int4 not null default 0,
  orphans    int4 not null default 0, -- check-outs that closed nothing
  in_at      timestamptz,             -- the first visit; null where nothing opened
  out_at     timestamptz,
  end_reason int2,                    -- 0 explicit, 1 timeout, 2 cutoff
  touches    int4,                    -- its check-ins
  party_size int4,
  away       timestamptz[],           -- outside, between a check-out and a re-entry
  last_touch timestamptz,
  method     int4,
  zone       int4,
  plan       int4,
  team       int4,
  state      bytea not null,          -- the unit's events; format: services/ingest/internal/visit
  primary key (space, day, member)
) with (fillfactor = 70, toast_tuple_target = 4080);
alter table member_day set (
  autovacuum_vacuum_scale_factor = 0.05,
  autovacuum_vacuum_insert_scale_factor = 0.05,
  autovacuum_vacuum_cost_delay = 0
);

-- The second and later visits of a unit (n = 1, 2, …), and the anonymous ones
-- (member 0, n = 63 bits of the event's key).
create table more_visits (
  space      int4 not null,
  day        date not null,
  member     int4 not null,
  n          int8 not null,
  in_at      timestamptz not null,
  out_at     timestamptz not null,
  end_reason int2 not null,
  touches    int4 not null,
  party_size int4 not null,
  away       timestamptz[],
  last_touch timestamptz not null,
  method     int4,
  zone       int4,
  plan       int4,
  team       int4,
  primary key (space, day, member, n)
) with (fillfactor = 80);

-- What reports and analysts read.
create view visits as
select space, day, member, 0::int8 as n, in_at, out_at, end_reason, touches, party_size, away, last_touch, method, zone, plan, team
from member_day
where in_at is not null
union all
select space, day, nullif(member, 0), n, in_at, out_at, end_reason, touches, party_size, away, last_touch, method, zone, plan, team
from more_visits;
