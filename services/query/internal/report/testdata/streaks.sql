-- A house that is open from Monday to Friday, and closed in the week of 9 March. It
-- is looked at on Tuesday 31 March 2026; weeks begin on 2, 9, 16, 23 and 30 March.
-- Ada came on the 4th, 18th, 26th and today: four weeks, the closed one skipped. Ben
-- came on the 17th and 24th, not yet this week: two. Cem came on the 3rd and 24th:
-- one, the week between is missing. Dev came on the 20th: none, last week broke it.
-- Eve came today twice: one.
insert into said values ('berlin', '2026-01-01Z', '{"time_zone": "Europe/Berlin",
  "opening_hours": {"mon": ["08:00", "20:00"], "tue": ["08:00", "20:00"], "wed": ["08:00", "20:00"], "thu": ["08:00", "20:00"], "fri": ["08:00", "20:00"]},
  "closures": ["2026-03-09", "2026-03-10", "2026-03-11", "2026-03-12", "2026-03-13"]}');
insert into told (space, kind, at) values ('berlin', 'checkin', '2026-03-03 09:00Z');
insert into stayed (space, day, member, in_at, out_at, ended)
select 'berlin', day::date, member, day::date + '9 hours'::interval, day::date + '10 hours'::interval, 'explicit'
from (values
  ('ada', '2026-03-04'), ('ada', '2026-03-18'), ('ada', '2026-03-26'), ('ada', '2026-03-31'),
  ('ben', '2026-03-17'), ('ben', '2026-03-24'),
  ('cem', '2026-03-03'), ('cem', '2026-03-24'),
  ('dev', '2026-03-20'),
  ('eve', '2026-03-31'), ('eve', '2026-03-31'), (null, '2026-03-31')
) as v (member, day);
