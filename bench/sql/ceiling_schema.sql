-- The least that could be called storing events and counting them once: a key, what
-- happened when to whom, and three rollups. Narrow rows, no history of anything.
create table if not exists ceiling_events (
  key    uuid primary key,
  space  int4 not null,
  member int4 not null,
  kind   int4 not null,
  time   timestamptz not null
);
create table if not exists ceiling_day (
  space int4 not null,
  day   date not null,
  n     int8 not null,
  primary key (space, day)
) with (fillfactor = 50);
create table if not exists ceiling_slot (
  space int4 not null,
  slot  timestamptz not null,
  n     int8 not null,
  primary key (space, slot)
) with (fillfactor = 50);
create table if not exists ceiling_member_day (
  space  int4 not null,
  day    date not null,
  member int4 not null,
  n      int8 not null,
  primary key (space, day, member)
) with (fillfactor = 70);
