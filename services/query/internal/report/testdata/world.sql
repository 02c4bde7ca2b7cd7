-- Three spaces on the weekend when clocks in Europe go forward, and one night when
-- they go back. Times are written with the offset that the space's clock has, so
-- that they can be added up by reading.

insert into said values
  ('berlin',    '2026-01-01Z', '{"time_zone": "Europe/Berlin", "capacity": 4,
                                "opening_hours": {"mon": ["08:00", "20:00"], "tue": ["08:00", "20:00"], "sat": ["10:00", "16:00"]}}'),
  ('kathmandu', '2026-01-01Z', '{"time_zone": "Asia/Kathmandu", "capacity": 2}'),
  ('newyork',   '2026-01-01Z', '{"time_zone": "America/New_York", "day_start": "05:00"}');

-- Fay never came. Gus left the house before anybody of this world was seen.
insert into known (member, joined_at, plan, team, active, name) values
  ('ada', '2026-01-05 10:00Z', 'flex', 'acme', true,  'Ada Lovelace'),
  ('ben', '2026-03-20 10:00Z', 'desk', 'acme', true,  'Ben Bitdiddle'),
  ('dev', '2026-03-29 10:00Z', 'desk', null,   true,  null),
  ('fay', '2026-02-01 10:00Z', 'flex', null,   true,  '=Fay'),
  ('gus', '2026-01-01 10:00Z', 'desk', null,   false, 'Gus');

-- Berlin lives from Saturday 28 March, Kathmandu and New York from Sunday.
insert into told (space, kind, at, received) values
  -- Saturday: three check-ins, one of them told an hour late; one refusal.
  ('berlin', 'checkin',        '2026-03-28 09:00+01', null),
  ('berlin', 'checkin',        '2026-03-28 10:30+01', '2026-03-28 11:30+01'),
  ('berlin', 'token_used',     '2026-03-28 10:30+01', null),
  ('berlin', 'checkin_failed', '2026-03-28 10:31+01', null),
  -- Sunday, the day of 23 hours: Ada in the night, over the missing hour.
  ('berlin', 'checkin',        '2026-03-29 01:30+01', null),
  ('berlin', 'heartbeat',      '2026-03-29 12:00+02', null),
  -- Monday: Ada twice with lunch between, Ben; a group of three without a name.
  ('berlin', 'checkin',        '2026-03-30 09:00+02', null),
  ('berlin', 'checkin',        '2026-03-30 13:00+02', null),
  ('berlin', 'checkin',        '2026-03-30 09:30+02', null),
  ('berlin', 'checkin',        '2026-03-30 11:00+02', null),
  -- Tuesday, the day that is running: Ada, and Cem, whose clock is ahead.
  ('berlin', 'checkin',        '2026-03-31 09:00+02', null),
  ('berlin', 'checkin',        '2026-03-31 14:02+02', null),
  -- The night in October when clocks go back, seen later.
  ('berlin', 'checkin',        '2026-10-25 01:30+02', null),
  ('berlin', 'checkin',        '2026-10-25 02:15+01', null),

  ('kathmandu', 'checkin',     '2026-03-29 23:00+05:45', null),
  ('kathmandu', 'checkin',     '2026-03-30 10:00+05:45', null),
  ('kathmandu', 'checkin',     '2026-03-30 10:00+05:45', null),
  ('kathmandu', 'checkin',     '2026-03-30 11:00+05:45', null),

  -- In New York the night belongs to the day before: it ends at five.
  ('newyork', 'checkin',       '2026-03-29 22:00-04', null),
  ('newyork', 'checkin',       '2026-03-30 04:00-04', null),
  ('newyork', 'checkin_failed', '2026-03-30 06:00-04', null),
  ('newyork', 'checkin',       '2026-03-31 07:00-04', null);

insert into stayed (space, day, member, in_at, out_at, ended, party, away) values
  ('berlin', '2026-03-28', 'ada', '2026-03-28 09:00+01', '2026-03-28 12:00+01', 'explicit', 1, null), -- 3 h
  ('berlin', '2026-03-28', 'ben', '2026-03-28 10:30+01', '2026-03-28 14:30+01', 'timeout',  1, null), -- 4 h
  ('berlin', '2026-03-28', 'cem', '2026-03-28 10:30+01', '2026-03-28 11:00+01', 'explicit', 1, null), -- ½ h
  ('berlin', '2026-03-29', 'ada', '2026-03-29 01:30+01', '2026-03-29 04:30+02', 'explicit', 1, null), -- 2 h: one is missing
  ('berlin', '2026-03-30', 'ada', '2026-03-30 09:00+02', '2026-03-30 18:00+02', 'explicit', 1,
     array['2026-03-30 12:30+02', '2026-03-30 13:00+02']::timestamptz[]),                              -- 8½ h
  ('berlin', '2026-03-30', 'ben', '2026-03-30 09:30+02', '2026-03-30 10:00+02', 'explicit', 1, null), -- ½ h
  ('berlin', '2026-03-30', null,  '2026-03-30 11:00+02', '2026-03-30 15:00+02', 'timeout',  3, null), -- 3 × 4 h
  ('berlin', '2026-03-31', 'ada', '2026-03-31 09:00+02', '2026-03-31 17:00+02', 'explicit', 1, null), -- 5 h by 14:00
  ('berlin', '2026-03-31', 'cem', '2026-03-31 14:02+02', '2026-03-31 18:02+02', 'timeout',  1, null), -- not begun
  ('berlin', '2026-10-25', 'ada', '2026-10-25 01:30+02', '2026-10-25 03:30+01', 'explicit', 1, null), -- 3 h: one comes twice
  ('berlin', '2026-10-25', null,  '2026-10-25 02:15+01', '2026-10-25 06:15+01', 'timeout',  2, null), -- 2 × 4 h

  ('kathmandu', '2026-03-29', 'dev', '2026-03-29 23:00+05:45', '2026-03-30 00:00+05:45', 'cutoff',   1, null), -- 1 h
  ('kathmandu', '2026-03-30', 'dev', '2026-03-30 10:00+05:45', '2026-03-30 10:30+05:45', 'explicit', 1, null), -- ½ h
  ('kathmandu', '2026-03-30', 'ada', '2026-03-30 10:00+05:45', '2026-03-30 12:00+05:45', 'explicit', 1, null), -- 2 h
  ('kathmandu', '2026-03-30', 'dev', '2026-03-30 11:00+05:45', '2026-03-30 12:00+05:45', 'explicit', 2, null), -- 2 × 1 h

  ('newyork', '2026-03-29', 'eve', '2026-03-29 22:00-04', '2026-03-30 02:00-04', 'timeout', 1, null), -- 4 h
  ('newyork', '2026-03-29', null,  '2026-03-30 04:00-04', '2026-03-30 05:00-04', 'cutoff',  1, null), -- 1 h
  ('newyork', '2026-03-31', 'eve', '2026-03-31 07:00-04', '2026-03-31 11:00-04', 'timeout', 1, null); -- 1 h by 08:00

insert into watermarks values
  (0, '2026-03-31 11:59:58Z', '2026-03-31 11:59:59Z'),
  (1, '2026-03-31 11:59:57Z', '2026-03-31 11:59:59Z');
