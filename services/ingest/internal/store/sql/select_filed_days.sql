-- Every day that has events: one that is queued may have some before it has a row.
select day - '1970-01-01'::date from space_day where space = @space and not sealed
union
select day - '1970-01-01'::date from refile where space = @space
order by 1
