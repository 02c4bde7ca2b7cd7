-- Ids as text: nobody promised that they are numbers.
select id::text, trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), joined_at, is_active
from users
order by id
