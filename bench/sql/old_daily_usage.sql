select created_at::date, count(*) from tokens where used_at is not null group by 1 order by 1
