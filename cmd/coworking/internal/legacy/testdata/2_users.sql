INSERT INTO users (first_name, last_name, joined_at, is_active) VALUES ('Ada', 'Berg', '2024-02-03 22:55:26', true);
INSERT INTO users (first_name, last_name, joined_at, is_active) VALUES ('Zoë', 'D''Souza; -- no comment', '2024-01-04 00:13:05.322499', true);
INSERT INTO users (first_name, last_name, joined_at, is_active) VALUES (E'Wei\t', 'Łukasz', '2024-03-24 14:07:08.819800', false);
-- Has no tokens, and joined before events could say so.
INSERT INTO users (first_name, last_name, joined_at, is_active) VALUES ('', 'Old', '1999-12-31 23:59:59', true);
