select id::text from users
