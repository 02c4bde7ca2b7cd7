select id, name from names where name = any (@names::text[])
