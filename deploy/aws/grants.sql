-- What query may write: keys, and who read about persons. Once after the first deployment of ingest, whose migrations make
-- these tables, and again after a migration that makes another one in this schema. As ingest, or as somebody who may become it.
grant usage on schema app to query;
grant select, insert, update, delete on all tables in schema app to query;
