select id from public.members order by member collate "C" for update
