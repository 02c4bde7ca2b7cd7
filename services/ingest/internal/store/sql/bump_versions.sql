-- Last of all, in key order: who reads the new version reads the new numbers.
with locked as (select id from spaces where id = any (@spaces::int[]) order by id for update)
update spaces s set version = version + 1 from locked where s.id = locked.id
