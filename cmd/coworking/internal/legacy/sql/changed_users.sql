-- As changed_tokens.sql.
select id::text, trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), joined_at, is_active
from users
where age(xmin) <= (select age(@horizon::xid))
order by id
