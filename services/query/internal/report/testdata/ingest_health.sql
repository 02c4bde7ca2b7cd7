-- Tuesday, 14:00 in Berlin, whose life began a fortnight ago: "usual" is the mean of
-- two Tuesdays, 13:00 to 14:00.
insert into said values
  ('berlin', '2026-01-01Z', '{"time_zone": "Europe/Berlin", "opening_hours": {"tue": ["08:00", "20:00"]}}');
insert into told (space, kind, at, received, source, member) values
  -- The door had 4 a fortnight ago and 6 a week ago, so usually 5, and 2 now: low.
  -- Its latest event was received 10 seconds late, the other at once: of two, 99 of
  -- 100 is 9.9 seconds.
  ('berlin', 'checkin',   '2026-03-17 13:00+01', null, 'door', null),
  ('berlin', 'checkin',   '2026-03-17 13:10+01', null, 'door', null),
  ('berlin', 'checkin',   '2026-03-17 13:20+01', null, 'door', null),
  ('berlin', 'checkin',   '2026-03-17 13:59+01', null, 'door', null),
  ('berlin', 'checkin',   '2026-03-24 12:59+01', null, 'door', null), -- an hour before that
  ('berlin', 'checkin',   '2026-03-24 13:00+01', null, 'door', null),
  ('berlin', 'checkin',   '2026-03-24 13:10+01', null, 'door', null),
  ('berlin', 'checkin',   '2026-03-24 13:20+01', null, 'door', null),
  ('berlin', 'checkin',   '2026-03-24 13:30+01', null, 'door', null),
  ('berlin', 'checkin',   '2026-03-24 13:40+01', null, 'door', null),
  ('berlin', 'heartbeat', '2026-03-24 13:50+01', null, 'door', null),
  ('berlin', 'checkin',   '2026-03-31 13:05+02', null, 'door', null),
  ('berlin', 'checkin',   '2026-03-31 13:45+02', '2026-03-31 13:45:10+02', 'door', null),
  -- The kiosk was heard of at noon, two hours ago. Of its four check-outs one ended
  -- Ada's visit and one sent her out to lunch: two are orphans.
  ('berlin', 'checkout',  '2026-03-31 09:30+02', null, 'kiosk', 'ada'),
  ('berlin', 'checkout',  '2026-03-31 11:00+02', null, 'kiosk', 'ada'),
  ('berlin', 'checkout',  '2026-03-31 11:30+02', null, 'kiosk', 'ada'),
  ('berlin', 'checkout',  '2026-03-31 12:00+02', null, 'kiosk', null);
insert into stayed (space, day, member, in_at, out_at, ended, party, away) values
  ('berlin', '2026-03-31', 'ada', '2026-03-31 09:00+02', '2026-03-31 11:00+02', 'explicit', 1,
     array['2026-03-31 09:30+02', '2026-03-31 10:00+02']::timestamptz[]);
-- What could not be read: two of the door's, one of an app that was never accepted,
-- one that tells nothing; one of another space, and one that somebody has settled.
insert into dead_letters (stream_created, seq, subject, body, received, code, detail, state) values
  ('2026-01-01Z', 1, 'checkins.v1.0.berlin.checkin', '{"source": "door", "id": ""}', '2026-03-31Z', 'invalid_id', '', 'open'),
  ('2026-01-01Z', 2, 'checkins.v1.0.berlin.checkin', '{"source": "door", "ti', '2026-03-31Z', 'invalid_json', '', 'open'),
  ('2026-01-01Z', 3, 'checkins.v1.0.berlin.checkin', '{"source":"app"}', '2026-03-31Z', 'invalid_id', '', 'open'),
  ('2026-01-01Z', 4, 'checkins.v1.0.berlin.checkin', '\x00ff', '2026-03-31Z', 'invalid_json', '', 'open'),
  ('2026-01-01Z', 5, 'checkins.v1.0.oslo.checkin', '{"source":"app"}', '2026-03-31Z', 'invalid_id', '', 'open'),
  ('2026-01-01Z', 6, 'checkins.v1.0.berlin.checkin', '{"source":"app"}', '2026-03-31Z', 'invalid_id', '', 'dropped');
