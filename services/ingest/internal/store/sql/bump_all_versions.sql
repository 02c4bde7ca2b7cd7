with locked as (select id from spaces order by id for update)
update spaces s set version = version + 1 from locked where s.id = locked.id
