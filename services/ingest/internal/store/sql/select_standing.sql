select (select count(*) from refile), v.equal, v.finished
from (select) as always
left join (select equal, finished from verify_results order by id desc limit 1) as v on true
