-- Where the stream keeps what this person sent: sequences of accepted events, and
-- of dead letters that quote their id as JSON does.
select seq, true as accepted from events where member = @id
union
select seq, false from dead_letters
where exists (select 1 from unnest(@needles::bytea[]) as n (needle) where position(needle in body) > 0)
order by 1
