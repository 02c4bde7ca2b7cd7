-- Whoever prepared a batch with the old settings sees by the number that it must
-- prepare it again.
update spaces s set
  settings = settings + 1,
  configured = exists (select 1 from space_changes c where c.space = s.id)
where id = any (@spaces::int[])
