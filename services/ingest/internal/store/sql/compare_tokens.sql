select 'tokens', coalesce(a.space, b.space), coalesce(a.token, b.token), to_jsonb(a), to_jsonb(b)
from (select space, token, issued, issued_key, member, expires_at, used, used_key from public.tokens) a
full join (select space, token, issued, issued_key, member, expires_at, used, used_key from derived_tokens) b
  on a.space = b.space and a.token = b.token
where a is distinct from b
order by 2, 3
