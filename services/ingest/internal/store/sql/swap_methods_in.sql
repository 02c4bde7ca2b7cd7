insert into public.method_day select * from pg_temp.method_day order by space, day, method, source, reason
