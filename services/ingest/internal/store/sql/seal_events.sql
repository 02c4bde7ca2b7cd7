update events e set
  member = null, method = null, zone = null, device = null, plan = null, team = null, reason = null, party_size = null,
  token = null, expires_at = null, data = case when k.name = 'space_upserted' then e.data end
from names k
where k.id = e.kind and e.space = @space and e.day = '1970-01-01'::date + @day::int
  and e.time >= '1970-01-01'::date + @day::int - 3 and e.time < '1970-01-01'::date + @day::int + 4
