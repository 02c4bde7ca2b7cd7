delete from public.tokens
