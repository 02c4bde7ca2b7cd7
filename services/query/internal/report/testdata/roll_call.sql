-- Tuesday, 14:00 in Berlin. Ada came half an hour ago, Ben three hours ago, Cem six
-- hours ago and will check out at six; Fay has left. In the cellar days begin at one
-- in the afternoon: Dev came at noon and was cut off an hour ago, Eli came so early
-- that his visit ended before that. Ada was in the cellar this morning, too, and
-- never checked out there. Three more are in without a name.
insert into said values
  ('berlin', '2026-01-01Z', '{"time_zone": "Europe/Berlin"}'),
  ('cellar', '2026-01-01Z', '{"time_zone": "Europe/Berlin", "day_start": "13:00"}');
insert into known (member, name) values ('ada', 'Ada Lovelace'), ('dev', 'Dev, "the night owl"');
insert into stayed (space, day, member, in_at, out_at, ended, party, zone) values
  ('berlin', '2026-03-31', 'ada', '2026-03-31 13:30+02', '2026-03-31 17:30+02', 'timeout',  1, 'loft'),
  ('berlin', '2026-03-31', 'ben', '2026-03-31 11:00+02', '2026-03-31 15:00+02', 'timeout',  1, null),
  ('berlin', '2026-03-31', 'cem', '2026-03-31 08:00+02', '2026-03-31 18:00+02', 'explicit', 2, null),
  ('berlin', '2026-03-31', 'fay', '2026-03-31 09:00+02', '2026-03-31 14:00+02', 'explicit', 1, null),
  ('berlin', '2026-03-31', null,  '2026-03-31 12:00+02', '2026-03-31 16:00+02', 'timeout',  3, null),
  ('cellar', '2026-03-30', 'dev', '2026-03-31 12:00+02', '2026-03-31 13:00+02', 'cutoff',   1, null),
  ('cellar', '2026-03-30', 'ada', '2026-03-31 10:30+02', '2026-03-31 13:00+02', 'cutoff',   1, null),
  ('cellar', '2026-03-30', 'eli', '2026-03-31 08:30+02', '2026-03-31 12:30+02', 'timeout',  1, null);
