select coalesce(a.space, b.space), coalesce(a.day, b.day) - '1970-01-01'::date, to_jsonb(a) #- '{slots}', to_jsonb(b) #- '{slots}'
from (
  select space, day, events, late, checkins, failed, visits, members, anonymous, orphans, estimated, dwell_us,
         dwell_estimated_us, coalesce(slots, '') as slots
  from public.space_day where (space, day) in (select space, '1970-01-01'::date + day from unnest(@spaces::int[], @days::int[]) k (space, day))
) a
full join (
  select space, day, events, late, checkins, failed, visits, members, anonymous, orphans, estimated, dwell_us,
         dwell_estimated_us, coalesce(slots, '') as slots
  from pg_temp.space_day
) b on a.space = b.space and a.day = b.day
where a is distinct from b
order by 1, 2
