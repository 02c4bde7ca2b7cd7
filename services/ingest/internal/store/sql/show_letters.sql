select id, stream_created, seq, subject, headers, body, received, code, pointer, detail, state, buried, settled
from dead_letters
where id = any (@ids::int8[])
order by id
