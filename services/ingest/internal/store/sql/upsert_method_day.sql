insert into method_day as m (space, day, method, source, reason, checkins, failed)
select space, '1970-01-01'::date + day, method, source, reason, checkins, failed
from unnest(@spaces::int[], @days::int[], @methods::int[], @sources::int[], @reasons::int[], @checkins::int[], @failed::int[])
  as d (space, day, method, source, reason, checkins, failed)
order by space, day, method, source, reason
on conflict (space, day, method, source, reason) do update
set checkins = m.checkins + excluded.checkins, failed = m.failed + excluded.failed
