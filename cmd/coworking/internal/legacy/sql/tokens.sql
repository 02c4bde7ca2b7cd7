-- The token itself is left behind: the strings repeat, and the row is what counts.
select id::text, coalesce(user_id::text, ''), created_at, used_at
from tokens
order by id
