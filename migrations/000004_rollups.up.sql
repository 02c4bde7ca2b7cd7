-- Rollups: everything here can be rebuilt from events.

-- One row a space and visit day: the lock that its writers queue for, the version
-- that caches are checked by, the day's totals, and its 15-minute slots.
create table space_day (
  space              int4 not null,
  day                date not null,
  version            int8 not null default 0,
  sealed             boolean not null default false, -- raw events dropped: nothing changes it any more
  events             int4 not null default 0,        -- all that were accepted and not voided
  late               int4 not null default 0,        -- of these, received more than 15 minutes after their time
  checkins           int4 not null default 0,
  failed             int4 not null default 0,
  visits             int4 not null default 0,
  members            int4 not null default 0,        -- distinct members with a visit
  anonymous          int4 not null default 0,        -- visits without a member
  orphans            int4 not null default 0,        -- check-outs that closed nothing
  estimated          int4 not null default 0,        -- visits whose end was inferred
  dwell_us           int8 not null default 0,        -- headcount × microseconds
  dwell_estimated_us int8 not null default 0,        -- the part of it in visits whose end was inferred
  slots              bytea,                          -- format: pkg/slots
  primary key (space, day)
) with (fillfactor = 50, toast_tuple_target = 4080);
alter table space_day set (autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_scale_factor = 0);

-- How people came, and why they were refused (reason 0 counts check-ins).
create table method_day (
  space    int4 not null,
  day      date not null,
  method   int4 not null, -- 0: not said
  source   int4 not null,
  reason   int4 not null default 0,
  checkins int4 not null default 0,
  failed   int4 not null default 0,
  primary key (space, day, method, source, reason)
) with (fillfactor = 60);

-- One-time tokens: the earliest issue and the earliest use hold.
create table tokens (
  space      int4 not null,
  token      text collate "C" not null,
  issued     timestamptz,
  issued_key uuid,  -- decides between issues of the same instant
  member     int4,  -- whom it was issued to
  expires_at timestamptz,
  used       timestamptz,
  used_key   uuid,
  primary key (space, token)
) with (fillfactor = 90);

-- The two reports of the system before this one, over all spaces: used tokens by
-- the 15 minutes they were issued in, and tokens issued to each member.
create table legacy_usage (
  slot timestamptz primary key,
  used int8 not null
) with (fillfactor = 50);
create table legacy_visits (
  member int4 primary key,
  visits int8 not null
) with (fillfactor = 60);

-- Space-days to be filed anew since their space's settings changed.
create table refile (
  space  int4 not null,
  day    date not null,
  queued timestamptz not null default now(),
  primary key (space, day)
);

-- Up to when each partition of the stream is in the numbers.
create table watermarks (
  partition        int4 primary key,
  complete_through timestamptz not null,
  written          timestamptz not null
) with (fillfactor = 50);

-- What `ingest verify` found.
create table verify_results (
  id       int8 generated always as identity primary key,
  started  timestamptz not null,
  finished timestamptz not null,
  equal    boolean not null,
  report   jsonb not null
);
