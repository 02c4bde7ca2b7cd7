insert into member_changes (key, member, time, source, id, joined_at, plan, team, active, name)
select * from unnest(
  @keys::uuid[], @members::int[], @times::timestamptz[], @sources::text[], @ids::text[], @joined_at::timestamptz[],
  @plans::int[], @teams::int[], @active::boolean[], @names::text[]
) as c (key, member, time, source, id, joined_at, plan, team, active, name)
order by key
