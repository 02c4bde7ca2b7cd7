-- For the whole session, all settings in one round trip.
--
-- The text is there to be thrown away. The GNU C library hands the top of a process's heap
-- back to the system whenever 128 KiB of it are free, and Postgres gets and frees more than
-- that at nearly each of our statements: with a small batch, a third of its time went into
-- that. Once a block of 4 MiB has come and gone, the library keeps up to twice as much
-- (mallopt(3), "dynamic mmap threshold").
select set_config(name, setting, false), length(repeat(repeat(' ', 4096), 1024))
from unnest(@names::text[], @settings::text[]) as told (name, setting)
