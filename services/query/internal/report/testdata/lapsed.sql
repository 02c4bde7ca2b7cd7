-- A house in Berlin that is open from Monday to Friday, on Tuesday 31 March 2026.
--   ada: Mondays 2, 9, 16, 23 February (gaps of 5 open days), not since: since 23
--     February there were 26 open days; 26 ÷ 5 is 5.2: lapsed. In the last 28 days she
--     came on none, in the 84 before on 4, a third of that is 1.333333.
--   ben: every Thursday in February and on 5 and 12 March (5 open days), then no more:
--     13 open days, 13 ÷ 5 = 2.6: at_risk.
--   cem: on 16, 17, 18, 19, 20 and 23 March (1 open day): 6 open days ago; 1 counts as
--     3, so it is 2: watch.
--   dev: came today for the first time. Nothing is wrong.
--   eve: two visits in January, the last on the 16th, on Ben's plan, whose members are
--     expected after 5: 52 open days, 10.4: lapsed.
--   fay: on 4, 9, 11, 16, 18 and 23 February, and on 30 March: fading (1 of the last
--     28 days, 6 ÷ 3 = 2 before). Her gaps are 3, 2, 3, 2, 3 and 25: four fifths are at
--     most 3, so a day away is nothing.
--   gus joined in January and never came; hal joined a week ago; ida is inactive.
insert into said values ('berlin', '2026-01-01Z', '{"time_zone": "Europe/Berlin", "opening_hours": {
  "mon": ["08:00", "20:00"], "tue": ["08:00", "20:00"], "wed": ["08:00", "20:00"], "thu": ["08:00", "20:00"], "fri": ["08:00", "20:00"]}}');
insert into known (member, joined_at, plan, active) values
  ('ada', '2026-01-01Z', 'flex', true), ('ben', '2026-01-01Z', 'desk', true), ('eve', '2026-01-01Z', 'desk', true),
  ('gus', '2026-01-20Z', 'desk', true), ('hal', '2026-03-24 12:00Z', 'desk', true), ('ida', '2026-01-01Z', 'desk', false);
insert into told (space, kind, at) values ('berlin', 'heartbeat', '2026-01-01 09:00+01');
insert into stayed (space, day, member, in_at, out_at, ended)
select 'berlin', day, member, day + '9 hours'::interval, day + '10 hours'::interval, 'explicit'
from (values
  ('ada', '2026-02-02'::date), ('ada', '2026-02-09'), ('ada', '2026-02-16'), ('ada', '2026-02-23'),
  ('ben', '2026-02-05'), ('ben', '2026-02-12'), ('ben', '2026-02-19'), ('ben', '2026-02-26'), ('ben', '2026-03-05'), ('ben', '2026-03-12'),
  ('cem', '2026-03-16'), ('cem', '2026-03-17'), ('cem', '2026-03-18'), ('cem', '2026-03-19'), ('cem', '2026-03-20'), ('cem', '2026-03-23'),
  ('dev', '2026-03-31'),
  ('eve', '2026-01-15'), ('eve', '2026-01-16'),
  ('fay', '2026-02-04'), ('fay', '2026-02-09'), ('fay', '2026-02-11'), ('fay', '2026-02-16'), ('fay', '2026-02-18'), ('fay', '2026-02-23'), ('fay', '2026-03-30'),
  ('ida', '2026-01-15')
) as v (member, day);
