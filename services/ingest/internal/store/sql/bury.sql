insert into dead_letters (stream_created, seq, subject, headers, body, received, code, pointer, detail)
select stream_created, seq, subject, headers::jsonb, body, received, code, pointer, detail
from unnest(
  @streams::timestamptz[], @seqs::int8[], @subjects::text[], @headers::text[], @bodies::bytea[], @received::timestamptz[],
  @codes::text[], @pointers::text[], @details::text[]
) as d (stream_created, seq, subject, headers, body, received, code, pointer, detail)
order by stream_created, seq
on conflict (stream_created, seq) do nothing
