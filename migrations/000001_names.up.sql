-- Words and identities, each written once and known everywhere else by a number:
-- that keeps the rows of the hot tables narrow.

-- Every source, kind, method, reason, zone, device, plan and team.
create table names (
  id   int4 generated always as identity primary key,
  name text collate "C" not null unique
);

-- One row a space; `_` stands for no single space (events about members).
create table spaces (
  id         int4 generated always as identity primary key,
  space      text collate "C" not null unique,
  configured boolean not null default false, -- false: a stub, nobody named its zone yet
  settings   int8 not null default 0,        -- bumped with each change of its settings
  version    int8 not null default 0         -- bumped last in each transaction: what an ETag reads
) with (fillfactor = 50);

-- What was said of a space, one row a space_upserted event that was not voided.
-- Its calendar is a pure function of these rows.
create table space_changes (
  key    uuid primary key,
  space  int4 not null,
  time   timestamptz not null,
  source text collate "C" not null,
  id     text collate "C" not null,
  data   jsonb not null
);
create index space_changes_space on space_changes (space);

-- One row a person; what is known of them is the latest word on each field.
create table members (
  id        int4 generated always as identity primary key,
  member    text collate "C" not null unique,
  joined_at timestamptz,
  plan      int4,
  team      int4,
  active    boolean,
  name      text
);

-- What was said of a member, one row a member_upserted event that was not voided:
-- plan and team of a visit are looked up here by the visit's time.
create table member_changes (
  key       uuid primary key,
  member    int4 not null,
  time      timestamptz not null,
  source    text collate "C" not null,
  id        text collate "C" not null,
  joined_at timestamptz,
  plan      int4,
  team      int4,
  active    boolean,
  name      text
);
create index member_changes_member on member_changes (member, time);
