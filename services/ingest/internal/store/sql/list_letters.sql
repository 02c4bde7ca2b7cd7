select id, stream_created, seq, subject, headers, body, received, code, pointer, detail, state, buried, settled
from dead_letters
where (@state::text is null or state = @state)
  and (@code::text is null or code = @code)
  and (@before::int8 is null or id < @before)
order by id desc
limit @limit
