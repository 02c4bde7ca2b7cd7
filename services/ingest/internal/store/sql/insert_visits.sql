-- As copy_visits.sql, and as insert_units.sql.
insert into more_visits (
  space, day, member, n, in_at, out_at, end_reason, touches, party_size, last_touch, method, zone, plan, team
)
select space, day, member, n, in_at, out_at, end_reason, touches, party_size, last_touch, method, zone, plan, team
from unnest(
  @space::int[], @day::date[], @member::int[], @n::int8[], @in_at::timestamptz[], @out_at::timestamptz[], @end_reason::int2[],
  @touches::int[], @party_size::int[], @last_touch::timestamptz[], @method::int[], @zone::int[], @plan::int[], @team::int[]
) as fresh (space, day, member, n, in_at, out_at, end_reason, touches, party_size, last_touch, method, zone, plan, team)
order by space, day, member, n
