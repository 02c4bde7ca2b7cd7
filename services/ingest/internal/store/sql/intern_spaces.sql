-- A space that nobody described yet is a stub, so that nothing is lost.
insert into spaces (space)
select space from unnest(@spaces::text[]) as new (space)
order by space collate "C"
on conflict (space) do nothing
