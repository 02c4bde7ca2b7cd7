insert into ceiling_member_day (space, day, member, n)
select space, day, member, n
from unnest(@spaces::int4[], @days::date[], @members::int4[], @counts::int8[]) as added (space, day, member, n)
order by 1, 2, 3
on conflict (space, day, member) do update set n = ceiling_member_day.n + excluded.n
