copy events (
  key, space, source, id, kind, time, received, seq, day, content, member, method, zone, device, plan, team, reason, party_size,
  token, expires_at, data, voided
) from stdin (format binary)
