select m.space, m.day - '1970-01-01'::date, m.member, m.state
from unnest(@spaces::int[], @days::int[], @members::int[]) as touched (space, day, member)
join member_day m on m.space = touched.space and m.day = '1970-01-01'::date + touched.day and m.member = touched.member
