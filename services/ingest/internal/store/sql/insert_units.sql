-- As copy_units.sql, for a few rows. `away` is an array itself, which unnest would
-- flatten: rows with one are copied.
insert into member_day (
  space, day, member, visits, checkins, orphans, in_at, out_at, end_reason, touches, party_size, last_touch, method, zone, plan,
  team, state
)
select space, day, member, visits, checkins, orphans, in_at, out_at, end_reason, touches, party_size, last_touch, method, zone, plan,
  team, state
from unnest(
  @space::int[], @day::date[], @member::int[], @visits::int[], @checkins::int[], @orphans::int[], @in_at::timestamptz[],
  @out_at::timestamptz[], @end_reason::int2[], @touches::int[], @party_size::int[], @last_touch::timestamptz[], @method::int[],
  @zone::int[], @plan::int[], @team::int[], @state::bytea[]
) as fresh (space, day, member, visits, checkins, orphans, in_at, out_at, end_reason, touches, party_size, last_touch, method, zone,
  plan, team, state)
order by space, day, member
