select id, name from names where id = any (@ids::int[])
