insert into ceiling_day (space, day, n)
select space, day, n
from unnest(@spaces::int4[], @days::date[], @counts::int8[]) as added (space, day, n)
order by 1, 2
on conflict (space, day) do update set n = ceiling_day.n + excluded.n
