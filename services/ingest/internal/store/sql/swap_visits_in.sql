insert into public.more_visits select * from pg_temp.more_visits order by space, day, member, n
