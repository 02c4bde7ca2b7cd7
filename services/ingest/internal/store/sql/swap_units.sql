-- Old rows out, new rows in: readers see the one or the other, never a part.
delete from public.member_day p using pg_temp.space_day d where p.space = d.space and p.day = d.day
