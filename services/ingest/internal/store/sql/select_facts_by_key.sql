select key, space, source, id, kind, time, received, seq, day - '1970-01-01'::date, content, member, method, zone, device,
       plan, team, reason, party_size, token, expires_at, data, voided
from events
where key = any (@keys::uuid[])
order by key
