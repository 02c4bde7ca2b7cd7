insert into space_changes (key, space, time, source, id, data)
select e.key, e.space, e.time, s.name, e.id, e.data
from events e join names k on k.id = e.kind join names s on s.id = e.source
where e.space = @space and k.name = 'space_upserted' and not e.voided and e.data is not null
order by e.key
