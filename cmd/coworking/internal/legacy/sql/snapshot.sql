-- The functions of old: a Postgres of any age has them. An xid of a row is 32 bits of
-- the 64 that a snapshot counts in. settled: nobody was writing.
select
  snapshot::text,
  (txid_snapshot_xmin(snapshot) % 4294967296)::text::xid as horizon,
  txid_snapshot_xmin(snapshot) = txid_snapshot_xmax(snapshot) as settled,
  clock_timestamp() as clock
from (select txid_current_snapshot() as snapshot) s
