-- The days whose version is not the one that is remembered, with their slots: versions and
-- slots are of one moment, since this is one statement. Dated in Go: which date a slot is on
-- depends on the old system's zone. As arrays: a row a slot would take longer to send than
-- to add up. `materialized`: days are compared before any slot is read.
with changed as materialized (
  select d.day, d.version
  from legacy_days d
  left join unnest(@days::int[], @versions::int8[]) as known (day, version) on '1970-01-01'::date + known.day = d.day
  where d.version is distinct from known.version
)
select c.day - '1970-01-01'::date as day, c.version, s.slots, s.used
from changed c
cross join lateral (
  select array_agg(u.slot) as slots, array_agg(u.used) as used
  from legacy_usage u
  where u.slot >= c.day::timestamp at time zone 'UTC' and u.slot < (c.day + 1)::timestamp at time zone 'UTC' and u.used > 0
) s
