insert into public.tokens (space, token, issued, issued_key, member, expires_at, used, used_key)
select space, token, issued, issued_key, member, expires_at, used, used_key from derived_tokens order by space, token collate "C"
