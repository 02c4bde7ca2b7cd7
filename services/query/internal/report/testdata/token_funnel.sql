-- Tokens of Berlin on Sunday 29 March: a used after 10 minutes, b after 20, c after
-- 50, d two minutes before it was issued, e the day after (24 h), f never: 5 of 6.
-- Latencies are 600, 1200, 3000 and 86,400 s: half-way between 1200 and 3000 is
-- 2100; 90 of 100 is 3000 + 0.7 × 83,400 = 61,380; 99 is 3000 + 0.97 × 83,400 = 83,898.
-- On Monday x is used, and nobody told of its issue. On Tuesday g is issued, to be
-- used after we look.
insert into said values ('berlin', '2026-01-01Z', '{"time_zone": "Europe/Berlin"}');
insert into told (space, kind, at, token) values
  ('berlin', 'token_issued', '2026-03-29 09:00+02', 'a'), ('berlin', 'token_used', '2026-03-29 09:10+02', 'a'),
  ('berlin', 'token_issued', '2026-03-29 09:00+02', 'b'), ('berlin', 'token_used', '2026-03-29 09:20+02', 'b'),
  ('berlin', 'token_issued', '2026-03-29 09:00+02', 'c'), ('berlin', 'token_used', '2026-03-29 09:50+02', 'c'),
  ('berlin', 'token_issued', '2026-03-29 09:00+02', 'd'), ('berlin', 'token_used', '2026-03-29 08:58+02', 'd'),
  ('berlin', 'token_issued', '2026-03-29 09:00+02', 'e'), ('berlin', 'token_used', '2026-03-30 09:00+02', 'e'),
  ('berlin', 'token_issued', '2026-03-29 09:00+02', 'f'),
  ('berlin', 'token_used', '2026-03-30 12:00+02', 'x'),
  ('berlin', 'token_issued', '2026-03-31 09:00+02', 'g'), ('berlin', 'token_used', '2026-03-31 15:00+02', 'g');
