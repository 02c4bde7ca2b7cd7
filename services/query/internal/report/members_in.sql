-- Who had a visit that began in each of a list of windows, once a window however
-- often they came. The days say where to look, the instants what counts.
select distinct w.row, v.member
from unnest(@rows::int[], @spaces::int[], @firsts::int[], @stops::int[], @starts::timestamptz[], @ends::timestamptz[])
  as w (row, space, first, stop, start, stop_at)
join visits v on v.space = w.space
             and v.day >= '1970-01-01'::date + w.first and v.day < '1970-01-01'::date + w.stop
             and v.in_at >= w.start and v.in_at < w.stop_at
where v.member is not null
order by w.row, v.member
