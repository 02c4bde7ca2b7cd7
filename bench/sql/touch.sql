-- What an event of the last day of the questions' range does to versions.
with day as (update space_day set version = version + 1 where day = '2026-01-28' returning space)
update spaces set version = version + 1 where id in (select space from day)
