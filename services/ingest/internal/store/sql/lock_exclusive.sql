-- … but voids, settings and re-filing reach across units: at READ COMMITTED a
-- void and its target in two open transactions would not see each other.
select pg_advisory_xact_lock(@lock)
