-- Once a minute, whoever saw it: other processes see the same key.
update app.keys
set last_used = @now
where id = @id and (last_used is null or last_used <= @now::timestamptz - interval '1 minute')
