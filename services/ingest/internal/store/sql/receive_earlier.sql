-- The days of these events are locked, so no other writer touches them.
update events e set received = c.received, seq = c.seq
from unnest(@keys::uuid[], @received::timestamptz[], @seqs::int8[]) as c (key, received, seq)
where e.key = c.key
