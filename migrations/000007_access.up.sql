-- Who may ask, and who asked for persons: the query service's own, and the only
-- thing that it writes.
create schema app;

-- One row a key, never deleted: the audit names keys by their ids.
create table app.keys (
  id          text collate "C" primary key,
  hash        bytea not null check (octet_length(hash) = 32), -- SHA-256 of the secret, which nobody keeps
  name        text not null check (name <> ''),               -- whose it is, or what it is for
  scopes      text[] not null check (
    cardinality(scopes) > 0
    and scopes <@ array['reports:read', 'members:read', 'events:write', 'admin']
  ),
  spaces      text[] check (cardinality(spaces) > 0), -- null: every space, also those to come
  created     timestamptz not null default now(),
  expires     timestamptz,                            -- null: never
  revoked     timestamptz,
  replaced_by text collate "C" references app.keys,   -- what rotation made in its place
  last_used   timestamptz                             -- to the minute
) with (fillfactor = 80);

-- One row an answer about persons.
create table app.personal_reads (
  id     int8 generated always as identity primary key,
  read   timestamptz not null default now(),
  reader text not null, -- a key's id, or the subject of who signed in
  report text not null,
  query  text not null, -- what was asked, as in the address
  rows   int4 not null  -- how many came back
);
create index personal_reads_read on app.personal_reads (read);
