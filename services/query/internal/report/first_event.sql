-- When a space's life began, to the instant: only a report in another zone than the
-- space's own must know. Looked for within its first day alone.
select min(time) from events where space = @space and time >= @start and time < @stop and not voided
