update member_day m set
  visits = u.visits, checkins = u.checkins, orphans = u.orphans, in_at = u.in_at, out_at = u.out_at,
  end_reason = u.end_reason, touches = u.touches, party_size = u.party_size, away = u.away::timestamptz[],
  last_touch = u.last_touch, method = u.method, zone = u.zone, plan = u.plan, team = u.team, state = u.state
from unnest(
  @spaces::int[], @days::int[], @members::int[], @visits::int[], @checkins::int[], @orphans::int[], @in_at::timestamptz[],
  @out_at::timestamptz[], @end_reason::int2[], @touches::int[], @party_size::int[], @away::text[], @last_touch::timestamptz[],
  @method::int[], @zone::int[], @plan::int[], @team::int[], @state::bytea[]
) as u (space, day, member, visits, checkins, orphans, in_at, out_at, end_reason, touches, party_size, away, last_touch,
        method, zone, plan, team, state)
where m.space = u.space and m.day = '1970-01-01'::date + u.day and m.member = u.member
