insert into legacy_visits as l (member, visits)
select member, visits from unnest(@members::int[], @visits::int8[]) as d (member, visits)
order by member
on conflict (member) do update set visits = l.visits + excluded.visits
