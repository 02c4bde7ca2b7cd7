-- Asked again once nobody else writes: an event may have come since, or settings
-- that move the day.
update space_day d set sealed = true, version = version + 1
where space = @space and day = '1970-01-01'::date + @day::int and not sealed
  and not exists (select 1 from refile r where r.space = d.space and r.day = d.day)
  and (select max(e.received) from events e
       where e.space = d.space and e.day = d.day and e.time >= d.day - 3 and e.time < d.day + 4) < @before
