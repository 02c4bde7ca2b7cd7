-- Two spaces on the weekend when clocks in Europe go forward, looked at on Tuesday 31
-- March at 14:00 in Berlin, 17:45 in Kathmandu. Added up for all of it:
--
--   method  source   check-ins  refusals
--   app     phones   2          0
--   door    main     4          3   no_valid_pass 2, token_reused 1
--   door    side     1          2   outside_hours 1, not said 1
--   kiosk   main     0          1   unknown_member 1
--   (none)  main     1          1   other 1
--
-- 8 check-ins: their shares are 2/8, 4/8, 1/8, 0 and 1/8. 7 refusals.
insert into said values
  ('berlin',    '2026-01-01Z', '{"time_zone": "Europe/Berlin"}'),
  ('kathmandu', '2026-01-01Z', '{"time_zone": "Asia/Kathmandu", "day_start": "05:00"}');
insert into told (space, kind, at, source, method, reason) values
  -- Sunday, in the hours before and after the missing one.
  ('berlin', 'checkin',        '2026-03-29 00:59:59+01', 'main', 'door', null),
  ('berlin', 'token_used',     '2026-03-29 03:10+02',    'main', 'door', null),
  ('berlin', 'checkin_failed', '2026-03-29 03:11+02',    'main', 'door', 'token_reused'),
  ('berlin', 'checkin_failed', '2026-03-29 23:50+02',    'side', 'door', null),
  -- Monday. In UTC, what is told at 00:30 is of Sunday.
  ('berlin', 'checkin',        '2026-03-30 00:30+02',    'side', 'door', null),
  ('berlin', 'checkin_failed', '2026-03-30 00:31+02',    'side', 'door', 'outside_hours'),
  ('berlin', 'checkin',        '2026-03-30 09:00+02',    'main', 'door', null),
  ('berlin', 'checkin_failed', '2026-03-30 09:01+02',    'main', 'door', 'no_valid_pass'),
  ('berlin', 'checkin_failed', '2026-03-30 09:02+02',    'main', 'door', 'no_valid_pass'),
  ('berlin', 'checkin',        '2026-03-30 09:05+02',    'phones', 'app', null),
  -- Tuesday: what is neither a check-in nor a refusal; somebody whose clock is ahead.
  ('berlin', 'checkout',       '2026-03-31 09:00+02',    'main', 'door', null),
  ('berlin', 'heartbeat',      '2026-03-31 10:00+02',    'gate', null, null),
  ('berlin', 'checkin',        '2026-03-31 14:02+02',    'phones', 'app', null),
  -- Kathmandu's night of Sunday is told on Monday's date: its day begins at five.
  ('kathmandu', 'checkin',        '2026-03-30 04:50+05:45', 'main', 'door', null),
  ('kathmandu', 'checkin',        '2026-03-30 05:00+05:45', 'main', null, null),
  ('kathmandu', 'checkin_failed', '2026-03-30 05:10+05:45', 'main', 'kiosk', 'unknown_member'),
  ('kathmandu', 'checkin_failed', '2026-03-30 05:20+05:45', 'main', null, 'other');
