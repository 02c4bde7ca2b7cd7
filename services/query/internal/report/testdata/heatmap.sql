-- Tuesday 31 March 2026, 14:00 in Berlin, whose house is open from Sunday to Tuesday and
-- closed on Monday the 23rd. Since the 17th there were, up to now, three Tuesdays (the
-- hours from 14:00 on came twice: that of 14:00 has only begun), one open Monday, and two
-- Sundays, of which the second had no 02:00.
insert into said values
  ('berlin', '2026-01-01Z', '{"time_zone": "Europe/Berlin", "closures": ["2026-03-23"],
                              "opening_hours": {"sun": ["08:00", "20:00"], "mon": ["08:00", "20:00"], "tue": ["08:00", "20:00"]}}'),
  ('kathmandu', '2026-01-01Z', '{"time_zone": "Asia/Kathmandu"}');
insert into told (space, kind, at) values
  ('berlin', 'checkin', '2026-03-17 09:00+01'), ('kathmandu', 'checkin', '2026-03-24 09:10+05:45');
insert into stayed (space, day, member, in_at, out_at, ended, party) values
  -- Tuesday, 09:00: two, one and none came, so a mean of 1, and nine tenths at rank 2.8:
  -- 1.8. People inside were 1½, ¾ and 0: ¾ in the mean, ¾ + 0.8 × ¾ = 1.35 at nine tenths,
  -- and 2¼ people-hours. Different members were 2, 1 and 0, and 2 of all the times.
  ('berlin', '2026-03-17', 'ada', '2026-03-17 09:00+01', '2026-03-17 11:00+01', 'explicit', 1),
  ('berlin', '2026-03-17', 'ben', '2026-03-17 09:30+01', '2026-03-17 10:00+01', 'explicit', 1),
  ('berlin', '2026-03-24', 'ada', '2026-03-24 09:15+01', '2026-03-24 10:15+01', 'explicit', 1),
  -- Tuesday, 13:00: one of three times. At 14:00 Cem comes, in an hour that is not over.
  ('berlin', '2026-03-31', 'ada', '2026-03-31 13:30+02', '2026-03-31 17:30+02', 'timeout',  1),
  ('berlin', '2026-03-31', 'cem', '2026-03-31 14:00+02', '2026-03-31 15:00+02', 'explicit', 1),
  -- Monday, 10:00: Dev came on the closed day, and three on the open one, in one visit.
  ('berlin', '2026-03-23', 'dev', '2026-03-23 10:00+01', '2026-03-23 11:00+01', 'explicit', 1),
  ('berlin', '2026-03-30', null,  '2026-03-30 10:00+02', '2026-03-30 12:00+02', 'timeout',  3),
  -- The night that clocks go forward: from 01:30 to 02:00, and from 03:00 to 03:30.
  ('berlin', '2026-03-29', 'ada', '2026-03-29 01:30+01', '2026-03-29 03:30+02', 'explicit', 1),
  -- The night that they go back, seen later: one came at 02:15, and two an hour after that.
  ('berlin', '2026-10-25', 'ada', '2026-10-25 02:15+02', '2026-10-25 02:30+02', 'explicit', 1),
  ('berlin', '2026-10-25', 'ben', '2026-10-25 02:15+01', '2026-10-25 02:30+01', 'explicit', 1),
  ('berlin', '2026-10-25', 'cem', '2026-10-25 02:20+01', '2026-10-25 02:35+01', 'explicit', 1),
  -- Kathmandu lives since Tuesday the 24th, when Ada came at 09:10 as she did in Berlin.
  -- There it is 17:45: the third Tuesday has had its hours up to 17:00.
  ('kathmandu', '2026-03-24', 'ada', '2026-03-24 09:10+05:45', '2026-03-24 09:40+05:45', 'explicit', 1);
