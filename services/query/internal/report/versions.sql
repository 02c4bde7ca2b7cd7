-- The versions that an answer moves with: of the spaces that may be seen, and of
-- what is said of members.
select space, version from spaces
where space = '_' or @visible::text[] is null or space = any (@visible::text[])
order by space
