-- As copy_events.sql, for the few rows of a small batch.
insert into events (
  key, space, source, id, kind, time, received, seq, day, content, member, method, zone, device, plan, team, reason, party_size,
  token, expires_at, data, voided
)
select *
from unnest(
  @key::uuid[], @space::int[], @source::int[], @id::text[], @kind::int[], @time::timestamptz[], @received::timestamptz[],
  @seq::int8[], @day::date[], @content::int8[], @member::int[], @method::int[], @zone::int[], @device::int[], @plan::int[],
  @team::int[], @reason::int[], @party_size::int[], @token::text[], @expires_at::timestamptz[], @data::jsonb[], @voided::boolean[]
) as fresh (key)
order by key
