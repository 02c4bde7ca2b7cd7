delete from more_visits v
using unnest(@spaces::int[], @days::int[], @members::int[], @ns::int8[]) as gone (space, day, member, n)
where v.space = gone.space and v.day = '1970-01-01'::date + gone.day and v.member = gone.member and v.n = gone.n
