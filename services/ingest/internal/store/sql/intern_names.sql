-- In an order that all share, so that two workers with the same new words queue
-- up instead of deadlocking.
insert into names (name)
select name from unnest(@names::text[]) as new (name)
order by name collate "C"
on conflict (name) do nothing
