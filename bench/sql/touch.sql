-- What an event of the last day of the questions' range does to versions, and a token of it to the two reports of the system before:
-- one more or one less (# 1 is the one and then the other), so that they are what they were after every second time.
with day as (update space_day set version = version + 1 where day = '2026-01-28' returning space),
used as (update legacy_usage set used = used # 1 where slot = (select max(slot) from legacy_usage where slot < '2026-01-29')),
issued as (update legacy_visits set visits = visits # 1 where member = (select max(member) from legacy_visits))
update spaces set version = version + 1 where id in (select space from day)
