-- The least that says whether an answer of some spaces still holds.
select space, version from spaces order by space
