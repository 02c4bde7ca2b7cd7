select id, member, joined_at from members where id = any (@members::int[])
