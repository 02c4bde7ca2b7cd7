-- Open dead letters of the spaces, by code and by the source that they seem to be
-- of: what could not be read as an event is searched for the attribute's text. The
-- space is the one that the subject names.
select coalesce(l.headers -> 'ce-source' ->> 0, substring(encode(l.body, 'escape') from '"source"\s*:\s*"([^"]{1,128})"'), '') as source,
       l.code, count(*) as letters
from dead_letters l
where l.state = 'open' and split_part(l.subject, '.', 4) = any (@names::text[])
group by 1, 2
order by 1, 2
