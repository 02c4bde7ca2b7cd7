select x.space, x.source, x.last_event, x.duplicates
from sources x
where x.space = any (@spaces::int[])
order by x.space, x.source
