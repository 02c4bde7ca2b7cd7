-- A database of the system before, small enough to be counted by hand. Its
-- timestamps have no zone. One thing is as it should not be, and is in real data:
-- nothing holds a token to a user that exists.
CREATE TABLE users (
  id         serial PRIMARY KEY,
  first_name varchar(50) NOT NULL,
  last_name  varchar(50) NOT NULL,
  joined_at  timestamp NOT NULL,
  is_active  boolean NOT NULL DEFAULT true
);
CREATE TABLE tokens (
  id         serial PRIMARY KEY,
  user_id    integer NOT NULL,
  token      varchar(6) NOT NULL,
  created_at timestamp NOT NULL DEFAULT now(),
  used_at    timestamp
);
