-- Whether spaces are as they are expected to be: at these versions, which never come back,
-- with these settings, and, where they moved, with the same begin of their lives; and no
-- day waits to be filed anew.
select not exists (select from refile)
       and not exists (
         select from unnest(@spaces::int[], @versions::int8[], @settings::int8[], @moved::bool[], @first_days::int[])
           as expected (id, version, settings, moved, first_day)
         left join spaces s on s.id = expected.id
         where s.version is distinct from expected.version or s.settings is distinct from expected.settings
            or expected.moved and expected.first_day is distinct from (
              select day - '1970-01-01'::date from space_day where space = expected.id and events > 0 order by day limit 1
            )
       ),
       (select min(complete_through) from watermarks)
