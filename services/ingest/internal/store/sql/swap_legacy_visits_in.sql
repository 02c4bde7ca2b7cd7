insert into public.legacy_visits (member, visits)
select member, count(*) from public.tokens where issued is not null and member is not null group by member order by member
