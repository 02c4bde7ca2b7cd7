-- As two arrays, and without who they are, which is remembered.
select coalesce(array_agg(member), '{}') as members, coalesce(array_agg(visits), '{}') as visits from legacy_visits where visits > 0
