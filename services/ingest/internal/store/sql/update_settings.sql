-- Whoever prepared a batch with the old settings sees by the number that it must
-- prepare it again. A space is configured once somebody named its zone.
update spaces s set
  settings = settings + 1,
  configured = exists (select 1 from space_changes c where c.space = s.id and c.data ->> 'time_zone' is not null)
where id = any (@spaces::int[])
