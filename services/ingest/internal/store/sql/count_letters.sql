-- Of the last ones only: however many lie there, somebody asks every few seconds.
select code, count(*) from (select code, state from dead_letters order by id desc limit 10000) as last
where state = 'open'
group by code
order by code
