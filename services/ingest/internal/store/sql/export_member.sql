select jsonb_build_object(
  'member', m.member,
  'name', m.name,
  'joined_at', m.joined_at,
  'active', m.active,
  'plan', (select name from names where id = m.plan),
  'team', (select name from names where id = m.team),
  'changes', coalesce((
    select jsonb_agg(jsonb_build_object('time', c.time, 'source', c.source, 'id', c.id, 'joined_at', c.joined_at,
      'plan', (select name from names where id = c.plan), 'team', (select name from names where id = c.team),
      'active', c.active, 'name', c.name) order by c.time, c.source, c.id)
    from member_changes c where c.member = m.id), '[]'),
  'events', coalesce((
    select jsonb_agg(jsonb_build_object('space', s.space, 'source', src.name, 'id', e.id, 'kind', k.name, 'time', e.time,
      'received', e.received, 'day', e.day, 'method', (select name from names where id = e.method),
      'zone', (select name from names where id = e.zone), 'device', (select name from names where id = e.device),
      'plan', (select name from names where id = e.plan), 'team', (select name from names where id = e.team),
      'reason', (select name from names where id = e.reason), 'party_size', e.party_size, 'token_id', e.token,
      'expires_at', e.expires_at, 'data', e.data, 'voided', e.voided) order by e.time, e.key)
    from events e join spaces s on s.id = e.space join names src on src.id = e.source join names k on k.id = e.kind
    where e.member = m.id), '[]'),
  'visits', coalesce((
    select jsonb_agg(jsonb_build_object('space', s.space, 'day', v.day, 'in', v.in_at, 'out', v.out_at,
      'end_reason', (array['explicit', 'timeout', 'cutoff'])[v.end_reason + 1], 'checkins', v.touches,
      'party_size', v.party_size, 'away', v.away) order by v.in_at)
    from visits v join spaces s on s.id = v.space where v.member = m.id), '[]'),
  'tokens', coalesce((
    select jsonb_agg(jsonb_build_object('space', s.space, 'token_id', t.token, 'issued', t.issued, 'expires_at', t.expires_at,
      'used', t.used) order by t.issued, t.token)
    from tokens t join spaces s on s.id = t.space where t.member = m.id), '[]')
)
from members m where m.member = @member
