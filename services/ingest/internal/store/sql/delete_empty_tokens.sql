delete from tokens t
using unnest(@spaces::int[], @tokens::text[]) as touched (space, token)
where t.space = touched.space and t.token = touched.token and t.issued is null and t.used is null
