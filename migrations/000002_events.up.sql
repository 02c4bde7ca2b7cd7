-- Everything that was accepted, and everything that was refused.

-- One row an accepted event, for good. The key is a function of (space, source,
-- id) alone: the primary key is what makes an event count once.
create table events (
  key        uuid primary key,
  space      int4 not null,
  source     int4 not null,
  id         text collate "C" not null,
  kind       int4 not null,
  time       timestamptz not null,
  received   timestamptz not null, -- when the stream stored it
  seq        int8 not null,        -- its sequence in the stream
  day        date not null,        -- the visit day it is filed under
  content    int8 not null,        -- hash of what it says: same key, other content = id_conflict
  member     int4,
  method     int4,
  zone       int4,
  device     int4,
  plan       int4,
  team       int4,
  reason     int4,
  party_size int4,
  token      text collate "C",
  expires_at timestamptz,
  data       jsonb,                -- the rest, of the rare kinds: upserts and voids
  voided     boolean not null default false
);
-- Events come nearly in time order, so a block range index finds those of a day
-- at the price of nothing; a token's events are looked up when one is voided.
create index events_time on events using brin (time) with (pages_per_range = 32);
create index events_token on events (space, token) where token is not null;
alter table events set (autovacuum_vacuum_insert_scale_factor = 0.2);

-- The keys that were taken back, also those that have not come yet.
create table voids (
  target uuid primary key
);

-- Poison, kept with its reason and its bytes. What an operator does with it marks
-- the row; the row stays.
create table dead_letters (
  id             int8 generated always as identity primary key,
  stream_created timestamptz not null, -- which stream: sequences start anew in a new one
  seq            int8 not null,
  subject        text not null,
  headers        jsonb,
  body           bytea not null,
  received       timestamptz not null,
  code           text not null,
  pointer        text,
  detail         text not null,
  state          text not null default 'open' check (state in ('open', 'retried', 'dropped')),
  buried         timestamptz not null default now(),
  settled        timestamptz,
  unique (stream_created, seq)
);
