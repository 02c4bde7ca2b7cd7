select key, e.space, source, id, kind, time, received, seq, day - '1970-01-01'::date, content, member, method, zone, device,
       plan, team, reason, party_size, e.token, expires_at, data, voided
from unnest(@spaces::int[], @tokens::text[]) as touched (space, token)
join events e on e.space = touched.space and e.token = touched.token
where not voided
order by time, key
