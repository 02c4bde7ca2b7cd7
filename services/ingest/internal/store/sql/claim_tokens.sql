-- The row locks first, in one order; the row as it was comes back.
insert into tokens as t (space, token)
select space, token from unnest(@spaces::int[], @tokens::text[]) as touched (space, token)
order by space, token collate "C"
on conflict (space, token) do update set token = excluded.token
returning t.space, t.token, t.issued, t.issued_key, t.member, t.expires_at, t.used, t.used_key
