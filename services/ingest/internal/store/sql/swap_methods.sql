delete from public.method_day p using pg_temp.space_day d where p.space = d.space and p.day = d.day
