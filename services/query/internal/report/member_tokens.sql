select member, count(*) as tokens
from tokens
where space = any (@spaces::int[]) and issued < @before::timestamptz and member is not null
group by member
order by member
