-- Tuesday, 14:00 in Berlin and 17:45 in Kathmandu. In Berlin Ada is in, and three
-- without a name; Ben has left, Cem is out for lunch: 4 of 10 seats. Its reader sent
-- a heartbeat half an hour ago. Kathmandu has heard nothing since Ada came (it says
-- so twice today: a door that nobody watches) 2¾ hours ago. Nobody ever heard of Oslo.
insert into said values
  ('berlin',    '2026-01-01Z', '{"time_zone": "Europe/Berlin", "capacity": 10, "opening_hours": {"tue": ["08:00", "20:00"]}}'),
  ('kathmandu', '2026-01-01Z', '{"time_zone": "Asia/Kathmandu"}'),
  ('oslo',      '2026-01-01Z', '{"time_zone": "Europe/Oslo", "capacity": 5}');
insert into told (space, kind, at) values
  ('berlin', 'checkin', '2026-03-31 09:00+02'), ('berlin', 'heartbeat', '2026-03-31 13:30+02'),
  ('kathmandu', 'checkin', '2026-03-31 15:00+05:45');
insert into stayed (space, day, member, in_at, out_at, ended, party, away) values
  ('berlin', '2026-03-31', 'ada', '2026-03-31 09:00+02', '2026-03-31 17:00+02', 'explicit', 1, null),
  ('berlin', '2026-03-31', 'ben', '2026-03-31 09:00+02', '2026-03-31 14:00+02', 'explicit', 1, null),
  ('berlin', '2026-03-31', 'cem', '2026-03-31 13:00+02', '2026-03-31 17:00+02', 'explicit', 1,
     array['2026-03-31 13:50+02', '2026-03-31 14:20+02']::timestamptz[]),
  ('berlin', '2026-03-31', null,  '2026-03-31 11:00+02', '2026-03-31 15:00+02', 'timeout',  3, null),
  ('kathmandu', '2026-03-31', 'ada', '2026-03-31 15:00+05:45', '2026-03-31 19:00+05:45', 'timeout', 1, null);
