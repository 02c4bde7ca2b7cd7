-- What a test says of its world, in words; file.sql turns it into rows. A connection keeps
-- the tables for the next world: to make them anew takes longer than to tell a small one.
create temporary table if not exists said (space text, at timestamptz, data jsonb);
create temporary table if not exists known (
  member text, at timestamptz default '2026-01-01Z',
  joined_at timestamptz, plan text, team text, active boolean, name text
);
create temporary table if not exists told (
  space text, kind text, at timestamptz, received timestamptz, member text, source text default 'test',
  method text, reason text, token text, expires_at timestamptz
);
create temporary table if not exists stayed (
  space text, day date, member text, -- null: anonymous
  in_at timestamptz, out_at timestamptz, ended text, party int, away timestamptz[],
  method text, zone text, plan text, team text
);
delete from said;
delete from known;
delete from told;
delete from stayed;
drop table if exists numbered;
