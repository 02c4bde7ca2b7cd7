select id, hash, name, scopes, spaces, created, expires, revoked, replaced_by, last_used
from app.keys
order by created, id
