insert into ceiling_slot (space, slot, n)
select space, slot, n
from unnest(@spaces::int4[], @slots::timestamptz[], @counts::int8[]) as added (space, slot, n)
order by 1, 2
on conflict (space, slot) do update set n = ceiling_slot.n + excluded.n
