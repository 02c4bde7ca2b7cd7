update tokens t set
  issued = u.issued, issued_key = u.issued_key, member = u.member, expires_at = u.expires_at, used = u.used, used_key = u.used_key
from unnest(
  @spaces::int[], @tokens::text[], @issued::timestamptz[], @issued_keys::uuid[], @members::int[], @expires_at::timestamptz[],
  @used::timestamptz[], @used_keys::uuid[]
) as u (space, token, issued, issued_key, member, expires_at, used, used_key)
where t.space = u.space and t.token = u.token
