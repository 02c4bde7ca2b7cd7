-- How far an answer reaches: what every partition has written, whether days wait
-- to be filed anew, and how many events came late for whole days.
select (select min(complete_through) from watermarks) as complete_through,
       exists (select 1 from refile where space = any (@asked::int[])) as refiling,
       (select coalesce(sum(d.late), 0)
        from unnest(@spaces::int[], @firsts::int[], @stops::int[]) as asked (space, first, stop)
        cross join lateral (
          select sum(late) as late from space_day
          where space = asked.space and day >= '1970-01-01'::date + asked.first and day < '1970-01-01'::date + asked.stop
        ) d) as late
