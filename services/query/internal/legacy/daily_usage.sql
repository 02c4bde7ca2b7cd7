-- Dated in Go: which date a slot is on depends on the old system's zone.
select slot, used from legacy_usage where used > 0
