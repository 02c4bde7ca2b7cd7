select id::text from tokens
