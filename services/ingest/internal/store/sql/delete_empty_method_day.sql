-- After a void: a bucket that counts nothing is as if it had never been.
delete from method_day m
using unnest(@spaces::int[], @days::int[]) as touched (space, day)
where m.space = touched.space and m.day = '1970-01-01'::date + touched.day and m.checkins = 0 and m.failed = 0
