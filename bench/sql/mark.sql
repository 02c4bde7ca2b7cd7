-- What a database says of itself: a comment is written in one step, with the database's name.
select coalesce((select shobj_description(oid, 'pg_database') from pg_database where datname = @database), '')
