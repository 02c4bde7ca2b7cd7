copy more_visits (
  space, day, member, n, in_at, out_at, end_reason, touches, party_size, away, last_touch, method, zone, plan, team
) from stdin (format binary)
