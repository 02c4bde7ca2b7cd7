-- What the writer keeps of the old tables, counted anew.
insert into public.members (member, joined_at)
select id::text, joined_at::timestamptz from users
union all
select distinct user_id::text, null::timestamptz from tokens where user_id not in (select id from users);
insert into public.legacy_usage
select date_bin('15 minutes', created_at::timestamptz, 'epoch'), count(*) from tokens where used_at is not null group by 1;
insert into public.legacy_visits
select m.id, count(*) from tokens t join public.members m on m.member = t.user_id::text group by 1;
