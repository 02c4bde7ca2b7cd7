-- What a test says of its world, in words; file.sql turns it into rows.
create temporary table said (space text, at timestamptz, data jsonb);
create temporary table told (space text, kind text, at timestamptz, received timestamptz);
create temporary table stayed (
  space text, day date, member text, -- null: anonymous
  in_at timestamptz, out_at timestamptz, ended text, party int, away timestamptz[]
);
