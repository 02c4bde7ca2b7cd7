insert into public.member_day select * from pg_temp.member_day order by space, day, member
