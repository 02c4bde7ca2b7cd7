-- Tuesday 31 March 2026, 14:00 in Berlin, for all four houses. Berlin has 4 seats, lives
-- since 1 March and is closed on Sundays; the annex has 2 seats and lives since Monday;
-- the attic lives since today, and nobody said how many seats it has. Nobody ever heard
-- of the cellar. It is asked about Sunday to Tuesday.
insert into said values
  ('berlin', '2026-01-01Z', '{"time_zone": "Europe/Berlin", "capacity": 4, "opening_hours": {"mon": ["08:00", "20:00"], "tue": ["08:00", "20:00"]}}'),
  ('annex',  '2026-01-01Z', '{"time_zone": "Europe/Berlin", "capacity": 2}'),
  ('attic',  '2026-01-01Z', '{"time_zone": "Europe/Berlin"}'),
  ('cellar', '2026-01-01Z', '{"time_zone": "Europe/Berlin"}');
insert into known (member, plan) values ('ada', 'flex');

-- Of Berlin's four tokens one was used. One expired unused; that of Ben expired after an
-- hour, but he came that day in another way; one is pending: 1 of 4 is a no-show. It has
-- four check-ins and a refusal, the annex two check-ins, the attic one and a refusal.
insert into told (space, kind, at, member, token, expires_at) values
  ('berlin', 'checkin',        '2026-03-01 09:00+01', 'ada', null, null),
  ('berlin', 'token_issued',   '2026-03-29 18:00+02', 'ada', 'a', null),
  ('berlin', 'token_issued',   '2026-03-29 18:00+02', 'eve', 'b', null),
  ('berlin', 'token_issued',   '2026-03-30 07:00+02', 'ben', 'c', '2026-03-30 08:00+02'),
  ('berlin', 'token_issued',   '2026-03-31 08:00+02', 'eve', 'd', null),
  ('berlin', 'token_used',     '2026-03-30 09:00+02', 'ada', 'a', null),
  ('berlin', 'checkin',        '2026-03-30 10:00+02', 'ben', null, null),
  ('berlin', 'checkin_failed', '2026-03-30 11:00+02', null, null, null),
  ('berlin', 'checkin',        '2026-03-30 12:00+02', null, null, null),
  ('berlin', 'checkin',        '2026-03-31 09:00+02', 'ada', null, null),
  ('annex',  'checkin',        '2026-03-30 10:00+02', 'dev', null, null),
  ('annex',  'checkin',        '2026-03-30 13:00+02', 'ben', null, null),
  ('attic',  'checkin_failed', '2026-03-31 09:00+02', null, null, null),
  ('attic',  'checkin',        '2026-03-31 10:00+02', 'fay', null, null);

insert into stayed (space, day, member, in_at, out_at, ended, party) values
  -- Berlin: Ada 8 h, Ben 2 h, two without a name 4 h each, and Ada 5 h so far: 23 h, in
  -- opening hours all of them. Those are 12 h and 6 h, so 72 seat-hours: 31.94 %. At most
  -- Ada and the two were there: 75 %. Measured are 480 and 120 minutes: 300. New is Ben,
  -- but not Ada, who was seen on 1 March. Of three ends one is inferred.
  ('berlin', '2026-03-01', 'ada', '2026-03-01 09:00+01', '2026-03-01 10:00+01', 'explicit', 1),
  ('berlin', '2026-03-30', 'ada', '2026-03-30 09:00+02', '2026-03-30 17:00+02', 'explicit', 1),
  ('berlin', '2026-03-30', 'ben', '2026-03-30 10:00+02', '2026-03-30 12:00+02', 'explicit', 1),
  ('berlin', '2026-03-30', null,  '2026-03-30 12:00+02', '2026-03-30 16:00+02', 'timeout',  2),
  ('berlin', '2026-03-31', 'ada', '2026-03-31 09:00+02', '2026-03-31 17:00+02', 'explicit', 1),
  -- The annex: Dev, who is new, and Ben, who was in Berlin before: 2 of 38 × 2 seat-hours.
  ('annex',  '2026-03-30', 'dev', '2026-03-30 10:00+02', '2026-03-30 11:00+02', 'explicit', 1),
  ('annex',  '2026-03-30', 'ben', '2026-03-30 13:00+02', '2026-03-30 14:00+02', 'explicit', 1),
  -- The attic: Fay looked in, for too short to be a stay.
  ('attic',  '2026-03-31', 'fay', '2026-03-31 10:00+02', '2026-03-31 10:02+02', 'explicit', 1);
