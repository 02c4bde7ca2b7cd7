select id from names where name = any (@names::text[])
