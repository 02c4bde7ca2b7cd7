-- The services' two users, in the database that the template made: once before the first deployment, as the master user.
--
--   psql -v ingest_password=… -v query_password=… -f deploy/aws/roles.sql "host=… dbname=coworking user=coworking_admin …"
--
-- The migrations run as ingest, which so owns the tables. query reads them, and writes where keys and reads about
-- persons are kept; those tables do not exist yet, so both are said of what ingest will make.
create role ingest login password :'ingest_password';
create role query login password :'query_password';

-- What follows about ingest is said in its name, so the master user has to be able to become it.
grant ingest to current_user;

revoke all on database :"DBNAME" from public;
grant connect, create, temporary on database :"DBNAME" to ingest; -- a batch is a temporary table first
grant connect on database :"DBNAME" to query;
grant create, usage on schema public to ingest;
grant usage on schema public to query;
alter default privileges for role ingest grant usage on schemas to query;
alter default privileges for role ingest grant select on tables to query;
