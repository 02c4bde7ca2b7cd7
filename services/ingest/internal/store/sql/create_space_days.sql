insert into space_day (space, day)
select space, '1970-01-01'::date + day
from unnest(@spaces::int[], @days::int[]) as touched (space, day)
order by space, day
on conflict (space, day) do nothing
