INSERT INTO users (id, first_name, last_name, joined_at, is_active) VALUES
  (1,  'Ada',  'Berg',    '2024-02-03 22:55:26',        true),
  (2,  'José', 'Ünal',    '2024-01-04 00:13:05.322499', true),
  (3,  'Ines', 'D''Souza', '2023-06-24 14:07:08.819800', true),  -- trailing zeros stay
  (9,  'Nils', 'Müller',  '2024-01-21 20:00:37.000001', false), -- inactive, but has tokens
  (10, 'Zoë',  'O''Neil', '2024-03-26 12:00:00',        true),  -- joined after the first token
  (11, 'Mei',  'Zhou',    '2023-11-20 03:39:41',        true);  -- no token: absent
