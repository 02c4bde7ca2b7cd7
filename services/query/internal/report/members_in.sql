-- Who had a visit that began in each of a list of windows, once a window however
-- often they came. The days say where to look, the instants what counts.
-- `offset 0`: as in stays.sql.
select distinct w.row, v.member
from unnest(@rows::int[], @spaces::int[], @firsts::int[], @stops::int[], @starts::timestamptz[], @ends::timestamptz[])
  as w (row, space, first, stop, start, stop_at)
cross join lateral (
  select member from visits
  where space = w.space and day >= '1970-01-01'::date + w.first and day < '1970-01-01'::date + w.stop
    and in_at >= w.start and in_at < w.stop_at and member is not null
  offset 0
) v
