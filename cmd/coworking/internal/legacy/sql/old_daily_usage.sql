-- As the old system asks it: by the date of issue, as the column has it.
select to_char(created_at, 'YYYY-MM-DD'), count(*)
from tokens
where used_at is not null
group by 1
order by 1
