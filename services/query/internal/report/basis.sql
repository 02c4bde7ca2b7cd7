-- Whether anything moved that a version rests on. Versions never go back, so their sum
-- tells states apart; a day that waits to be filed anew has moved the version of its
-- space. One look at a table of few rows.
select coalesce(sum(version) filter (where id = any (@spaces::int4[])), 0)::int8 as sum, max(id) as newest
from spaces
