-- When each visit of a member began, over a stretch of days of a space, in no order: of
-- all of history that is quicker than day by day.
select day - '1970-01-01'::date as day, member, in_at
from visits
where space = @space and day >= '1970-01-01'::date + @first::int and day < '1970-01-01'::date + @stop::int and member is not null
