insert into voids (target)
select target from unnest(@targets::uuid[]) as v (target)
order by target
on conflict (target) do nothing
