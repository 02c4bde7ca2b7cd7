-- The tables of the system before, with the index that its primary keys give it.
create table users (id integer primary key, joined_at timestamp not null);
create table tokens (id integer primary key, token text not null, user_id integer not null, created_at timestamp not null, used_at timestamp);
insert into users select n, timestamp '2024-01-01' + n * interval '1 hour' from generate_series(1, 2000) n;
