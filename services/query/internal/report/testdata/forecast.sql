-- A house in Berlin, open on Mondays and Tuesdays, looked at on Tuesday 31 March 2026.
-- Mondays from 2 February on had 2, 4, 4, 4, 4, 4, 4, 6, 8 visits; the last eight of
-- them (9 February to 30 March) have a median of 4. Tuesdays had, from 3 February on,
-- 0, 0, 0, 3, 3, 5, 5, 5: the median is 3. The last 28 days (3 to 30 March) had, Mondays 4, 4,
-- 6, 8, Tuesdays 3, 5, 5, 5, 40 visits; the 28 before (3 February to 2 March) had
-- Mondays 4, 4, 4, 4 and a Tuesday with 3, 19. 40 ÷ 19 is more than 1.3: that is the
-- trend. So a Monday will have 5.2, a Tuesday 3.9. This Tuesday's own visits do not count:
-- the day is not over. A closure takes Monday 6 April out.
insert into said values ('berlin', '2026-01-01Z', '{"time_zone": "Europe/Berlin",
  "opening_hours": {"mon": ["08:00", "20:00"], "tue": ["08:00", "20:00"]}, "closures": ["2026-04-06"]}');
insert into told (space, kind, at) values ('berlin', 'checkin', '2026-02-02 09:00+01');
insert into stayed (space, day, member, in_at, out_at, ended)
select 'berlin', day, 'm' || n, day + '9 hours'::interval, day + '10 hours'::interval, 'explicit'
from (values
  ('2026-02-02'::date, 2), ('2026-02-09', 4), ('2026-02-16', 4), ('2026-02-23', 4), ('2026-03-02', 4), ('2026-03-09', 4),
  ('2026-03-16', 4), ('2026-03-23', 6), ('2026-03-30', 8),
  ('2026-02-24', 3), ('2026-03-03', 3), ('2026-03-10', 5), ('2026-03-17', 5), ('2026-03-24', 5), ('2026-03-31', 1)
) as v (day, visits), generate_series(1, visits) n;
