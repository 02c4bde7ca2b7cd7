-- A key in the place of another, which goes on for the overlap, or until it would
-- have ended anyway. No row: the other one opens nothing any more, or has been
-- replaced before. The lock makes whoever rotates the same key second see that.
with old as (
  select * from app.keys
  where id = @old and revoked is null and replaced_by is null and (expires is null or expires > now())
  for update
), replaced as (
  update app.keys k
  set replaced_by = @id, expires = least(old.expires, now() + @overlap::interval)
  from old
  where k.id = old.id
)
insert into app.keys (id, hash, name, scopes, spaces, expires)
select @id, @hash, name, scopes, spaces, expires
from old
returning id, hash, name, scopes, spaces, created, expires, revoked, replaced_by, last_used
