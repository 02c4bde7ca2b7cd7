insert into app.keys (id, hash, name, scopes, spaces, expires)
values (@id, @hash, @name, @scopes, @spaces, @expires)
returning id, hash, name, scopes, spaces, created, expires, revoked, replaced_by, last_used
