-- Rows whose version was written by a transaction that is no older than the horizon;
-- all of them where the horizon is 0, which is infinitely old. age compares xids in
-- their circle. A row that was written 2^31 transactions ago may come along: it is
-- known, and says nothing.
select id::text, coalesce(user_id::text, ''), created_at, used_at, xmin
from tokens
where age(xmin) <= (select age(@horizon::xid))
order by id
