-- Tuesday, 14:00 in Berlin; nearly all of this was yesterday. The lengths that were
-- measured, in minutes: Ada 60, and 480 in the annex, Ben 120 (he was outside for
-- half an hour), Cem 180 with two guests, Dev 3; and Ada 2, which is transient. Eve
-- and somebody without a name never checked out: 240 each. Ben is still in today.
-- So, sorted: 3, 60, 120, 180, 480. The quarters are the 2nd, 3rd and 4th; nine tenths
-- is at rank 4.6, that is 180 + 0.6 × 300 = 360; the mean is 843 ÷ 5 = 168.6. Measured
-- are 6 of 8. With the two of 240 they are 7: a quarter is at rank 2.5, so 90; half
-- 180; three quarters at 5.5, so 240; nine tenths at 6.4: 240 + 0.4 × 240 = 336; the
-- mean is 1323 ÷ 7 = 189. Nobody ever heard of the cellar.
insert into said values
  ('berlin', '2026-01-01Z', '{"time_zone": "Europe/Berlin"}'),
  ('annex',  '2026-01-01Z', '{"time_zone": "Europe/Berlin"}'),
  ('cellar', '2026-01-01Z', '{"time_zone": "Europe/Berlin"}');
insert into known (member, plan, team) values ('ada', 'flex', 'acme'), ('ben', 'desk', 'acme'), ('eve', 'flex', null);
insert into told (space, kind, at) values
  ('berlin', 'checkin', '2026-03-30 09:00+02'), ('annex', 'checkin', '2026-03-30 08:00+02');
insert into stayed (space, day, member, in_at, out_at, ended, party, away, plan) values
  ('berlin', '2026-03-30', 'ada', '2026-03-30 09:00+02', '2026-03-30 09:02+02', 'explicit', 1, null, null),
  ('berlin', '2026-03-30', 'ada', '2026-03-30 10:00+02', '2026-03-30 11:00+02', 'explicit', 1, null, null),
  ('berlin', '2026-03-30', 'ben', '2026-03-30 09:00+02', '2026-03-30 11:30+02', 'explicit', 1,
     array['2026-03-30 10:00+02', '2026-03-30 10:30+02']::timestamptz[], null),
  ('berlin', '2026-03-30', 'cem', '2026-03-30 09:00+02', '2026-03-30 12:00+02', 'explicit', 3, null, null),
  ('berlin', '2026-03-30', 'dev', '2026-03-30 09:00+02', '2026-03-30 09:03+02', 'explicit', 1, null, 'desk'),
  ('berlin', '2026-03-30', 'eve', '2026-03-30 09:00+02', '2026-03-30 13:00+02', 'timeout',  1, null, null),
  ('berlin', '2026-03-31', 'ben', '2026-03-31 09:00+02', '2026-03-31 17:00+02', 'explicit', 1, null, null),
  ('annex',  '2026-03-30', 'ada', '2026-03-30 08:00+02', '2026-03-30 16:00+02', 'explicit', 1, null, null),
  ('annex',  '2026-03-30', null,  '2026-03-30 10:00+02', '2026-03-30 14:00+02', 'timeout',  1, null, null);
