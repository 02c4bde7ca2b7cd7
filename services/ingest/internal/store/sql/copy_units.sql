copy member_day (
  space, day, member, visits, checkins, orphans, in_at, out_at, end_reason, touches, party_size, away, last_touch, method, zone,
  plan, team, state
) from stdin (format binary)
