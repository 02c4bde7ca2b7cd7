-- What the visit days of stretches of days add up to, of which another version is
-- remembered, or none; and who had a visit, of those where that is wanted. A day that had a
-- row always has one, so what is not found here is as it was. `offset 0`: as in
-- day_members.sql.
select d.space, d.day - '1970-01-01'::date as day, d.version, d.checkins, d.failed, d.visits, d.members, d.anonymous, d.estimated,
       d.dwell_us, d.late, d.slots,
       case when known.peopled then coalesce((
         select array_agg(member) from member_day m where m.space = d.space and m.day = d.day and m.in_at is not null
       ), '{}') end as people,
       null::bool as as_expected, null::timestamptz as complete_through
from unnest(@spaces::int[], @firsts::int[], @stops::int[]) as asked (space, first, stop)
cross join lateral (
  select * from space_day
  where space = asked.space and day >= '1970-01-01'::date + asked.first and day < '1970-01-01'::date + asked.stop
  offset 0
) d
left join unnest(@known_spaces::int[], @known_days::int[], @known_versions::int8[], @peopled::bool[])
  as known (space, day, version, peopled) on known.space = d.space and known.day = d.day - '1970-01-01'::date
where d.version is distinct from known.version
union all
-- Where nobody looked how spaces are, another row says whether they are as they are expected
-- to be: at these versions, with these settings, and, where they moved, with the same begin
-- of their lives; and no day waits to be filed anew.
select 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '', null,
       not exists (select from refile)
       and not exists (
         select from unnest(@expected::int[], @versions::int8[], @settings::int8[], @moved::bool[], @first_days::int[])
           as expected (id, version, settings, moved, first_day)
         left join spaces s on s.id = expected.id
         where s.version is distinct from expected.version or s.settings is distinct from expected.settings
            or expected.moved and expected.first_day is distinct from (
              select day - '1970-01-01'::date from space_day where space = expected.id and events > 0 order by day limit 1
            )
       ),
       (select min(complete_through) from watermarks)
where cardinality(@expected::int[]) > 0
