-- Ten tokens of Berlin, looked at on Tuesday 31 March, 14:00. Issued on Sunday 29
-- March: a used, b used although the clock says before it was issued, c used a day
-- late, d never used though Dev came that day by the front desk: covered, e never
-- used: no-show, f nobody's, never used: no-show. On Monday: g expires on Wednesday:
-- pending, h expired after an hour, unused: no-show. On Tuesday: i issued this
-- morning: pending; j will be used in an hour: pending.
-- Sunday: 2 of 6 are no-shows; Monday: 1 of the 1 that is not pending.
insert into said values ('berlin', '2026-01-01Z', '{"time_zone": "Europe/Berlin"}');
insert into told (space, kind, at, member, token, expires_at) values
  ('berlin', 'token_issued', '2026-03-29 09:00+02', 'ada', 'a', null), ('berlin', 'token_used', '2026-03-29 09:10+02', 'ada', 'a', null),
  ('berlin', 'token_issued', '2026-03-29 09:00+02', 'ben', 'b', null), ('berlin', 'token_used', '2026-03-29 08:59+02', 'ben', 'b', null),
  ('berlin', 'token_issued', '2026-03-29 09:00+02', 'cem', 'c', null), ('berlin', 'token_used', '2026-03-30 09:01+02', 'cem', 'c', null),
  ('berlin', 'token_issued', '2026-03-29 09:00+02', 'dev', 'd', null),
  ('berlin', 'token_issued', '2026-03-29 09:00+02', 'eve', 'e', null),
  ('berlin', 'token_issued', '2026-03-29 09:00+02', null,  'f', null),
  ('berlin', 'token_issued', '2026-03-30 09:00+02', 'eve', 'g', '2026-04-01 09:00+02'),
  ('berlin', 'token_issued', '2026-03-30 09:00+02', 'dev', 'h', '2026-03-30 10:00+02'),
  ('berlin', 'token_issued', '2026-03-31 09:00+02', 'ada', 'i', null),
  ('berlin', 'token_issued', '2026-03-31 09:00+02', 'ada', 'j', null), ('berlin', 'token_used', '2026-03-31 15:00+02', 'ada', 'j', null);
insert into stayed (space, day, member, in_at, out_at, ended) values
  ('berlin', '2026-03-29', 'dev', '2026-03-29 12:00+02', '2026-03-29 13:00+02', 'explicit');
