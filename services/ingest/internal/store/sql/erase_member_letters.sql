update dead_letters set body = '', headers = null, pointer = null, detail = 'erased'
where exists (select 1 from unnest(@needles::bytea[]) as n (needle) where position(needle in body) > 0)
