select id, name from names
