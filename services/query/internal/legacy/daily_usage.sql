-- Dated in Go: which date a slot is on depends on the old system's zone. As two
-- arrays: a row a slot would take longer to send than to add up.
select coalesce(array_agg(slot), '{}') as slots, coalesce(array_agg(used), '{}') as used from legacy_usage where used > 0
