insert into members (member)
select member from unnest(@members::text[]) as new (member)
order by member collate "C"
on conflict (member) do nothing
