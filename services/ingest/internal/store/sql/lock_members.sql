select id from members where id = any (@members::int[]) order by member collate "C" for update
