-- The first time holds.
update app.keys
set revoked = coalesce(revoked, now())
where id = @id
returning id, hash, name, scopes, spaces, created, expires, revoked, replaced_by, last_used
