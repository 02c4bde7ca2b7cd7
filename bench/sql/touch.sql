-- What the n-th event does to versions: it is of the last day of the questions' range, and of one space, each time the next one. A token
-- of it goes to the two reports of the system before: one more or one less (# 1 is the one and then the other), so that they are what they
-- were after every second time.
with busy as (select space, row_number() over (order by space) - 1 as n, count(*) over () as spaces from space_day where day = '2026-01-28'),
day as (
  update space_day set version = version + 1
  where day = '2026-01-28' and space = (select space from busy where n = $1::int8 % spaces) returning space
),
used as (update legacy_usage set used = used # 1 where slot = (select max(slot) from legacy_usage where slot < '2026-01-29')),
issued as (update legacy_visits set visits = visits # 1 where member = (select max(member) from legacy_visits))
update spaces set version = version + 1 where id in (select space from day)
