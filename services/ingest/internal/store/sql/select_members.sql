select id, member from members where member = any (@members::text[])
