-- A space-day is sealed whole, once the newest of its events is past the limit. Its
-- events lie within three days of its date, which is what their index knows of.
select d.space, d.day - '1970-01-01'::date
from space_day d
join spaces s on s.id = d.space
where not d.sealed and s.space <> '_'
  and not exists (select 1 from refile r where r.space = d.space and r.day = d.day)
  and d.day < @before::timestamptz::date
  and (select max(e.received) from events e
       where e.space = d.space and e.day = d.day and e.time >= d.day - 3 and e.time < d.day + 4) < @before
order by d.space, d.day
limit @limit
