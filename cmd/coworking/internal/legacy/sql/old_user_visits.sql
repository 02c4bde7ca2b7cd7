-- As the old system asks it: all tokens, used or not. Microseconds are shown with all
-- six digits, unless they are 0. Numbers in numeric order, other ids after them.
select
  t.user_id::text,
  coalesce(to_char(u.joined_at, case
    when date_trunc('second', u.joined_at) = u.joined_at then 'YYYY-MM-DD HH24:MI:SS'
    else 'YYYY-MM-DD HH24:MI:SS.US'
  end), 'None'),
  count(*)
from tokens t
left join users u on u.id = t.user_id
where t.user_id is not null
group by t.user_id, u.joined_at
order by case when t.user_id::text ~ '^[0-9]{1,18}$' then t.user_id::text::bigint end nulls last, t.user_id::text collate "C"
