-- The old schema; timestamps have no zone.
CREATE TABLE users (
  id         serial PRIMARY KEY,
  first_name varchar(50) NOT NULL,
  last_name  varchar(50) NOT NULL,
  joined_at  timestamp NOT NULL,
  is_active  boolean NOT NULL DEFAULT true
);
CREATE TABLE tokens (
  id         serial PRIMARY KEY,
  user_id    integer NOT NULL REFERENCES users,
  token      varchar(6) NOT NULL,
  created_at timestamp NOT NULL DEFAULT now(),
  used_at    timestamp
);
