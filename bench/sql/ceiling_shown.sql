-- How many events of the space that is looked at are stored. It is the first that the ceiling met: its number is 1.
select coalesce(sum(n), 0)::int8 from ceiling_day where space = 1
