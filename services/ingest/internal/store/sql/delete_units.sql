-- A unit whose every event was voided is as if it had never been.
delete from member_day m
using unnest(@spaces::int[], @days::int[], @members::int[]) as gone (space, day, member)
where m.space = gone.space and m.day = '1970-01-01'::date + gone.day and m.member = gone.member
