-- What an event of the last day of the questions' range does to versions, and the use of a
-- token to the first of the old reports.
with day as (update space_day set version = version + 1 where day = '2026-01-28' returning space),
slot as (update legacy_usage set used = used where slot = (select max(slot) from legacy_usage where slot < '2026-01-29Z'))
update spaces set version = version + 1 where id in (select space from day)
