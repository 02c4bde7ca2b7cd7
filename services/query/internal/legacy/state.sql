select coalesce(sum(version), 0)::int8 from spaces
