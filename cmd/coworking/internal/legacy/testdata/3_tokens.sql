-- Used an hour after its issue.
INSERT INTO tokens (user_id, token, created_at, used_at) VALUES (1, '002827', '2024-03-27 08:18:59.656589', '2024-03-27 09:18:59.656589');
-- Never used; the string of another.
INSERT INTO tokens (user_id, token, created_at, used_at) VALUES (1, '002827', '2024-03-28 08:00:00', NULL);
-- Used minutes before its issue, on the date before, by somebody who joined later.
INSERT INTO tokens (user_id, token, created_at, used_at) VALUES (3, '379951', '2024-02-25 00:02:53.355333', '2024-02-24 23:57:53.355333');
-- In an hour that Berlin passes over, used in one that New York has.
INSERT INTO tokens (user_id, token, created_at, used_at) VALUES (2, '017432', '2024-03-31 02:30:00', '2024-04-01 20:15:43.000001');
