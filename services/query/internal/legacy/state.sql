-- What is said of members moves the version of the space `_`.
select coalesce(sum(version), 0)::int8 as all_versions, coalesce(sum(version) filter (where space = '_'), 0)::int8 as members_version
from spaces
