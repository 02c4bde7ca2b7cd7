select space, day - '1970-01-01'::date from refile order by queued, space, day limit 1
