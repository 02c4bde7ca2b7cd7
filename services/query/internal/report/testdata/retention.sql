-- Two spaces, looked at on Tuesday 31 March 2026; weeks begin on 2, 9, 16, 23 and 30
-- March. Ada was in Oslo in February, and came to Berlin on 3 March: she is in no
-- cohort, unless it is of Berlin alone. Ben first came on 3 March, again on the 4th, on
-- the 17th and today; Cem on 8 March (Sunday) and on the 10th; Dev on the 16th only; Eve
-- on the 24th in Berlin and on the 31st in Oslo.
-- Week of 2 March: 2 (Ben, Cem): in week 1 Cem, in week 2 Ben, in 3 nobody, in 4, which
-- is running, Ben. Of 16 March: Dev, and nobody after. Of 23 March: Eve, and she again.
insert into said values ('berlin', '2026-01-01Z', '{"time_zone": "Europe/Berlin"}'), ('oslo', '2026-01-01Z', '{"time_zone": "Europe/Oslo"}');
insert into known (member, joined_at) values ('ada', '2026-02-01Z'), ('ben', '2026-03-02 12:00Z'), ('fay', '2026-03-10 12:00Z'), ('dev', '2026-03-15 23:30Z');
insert into told (space, kind, at) values ('berlin', 'heartbeat', '2026-02-01Z'), ('oslo', 'heartbeat', '2026-02-01Z');
insert into stayed (space, day, member, in_at, out_at, ended)
select space, day, member, day + '9 hours'::interval, day + '10 hours'::interval, 'explicit'
from (values
  ('oslo', 'ada', '2026-02-10'::date), ('berlin', 'ada', '2026-03-03'),
  ('berlin', 'ben', '2026-03-03'), ('berlin', 'ben', '2026-03-04'), ('berlin', 'ben', '2026-03-17'), ('berlin', 'ben', '2026-03-31'),
  ('berlin', 'cem', '2026-03-08'), ('berlin', 'cem', '2026-03-10'), ('berlin', 'dev', '2026-03-16'),
  ('berlin', 'eve', '2026-03-24'), ('oslo', 'eve', '2026-03-31')
) as v (space, member, day);
