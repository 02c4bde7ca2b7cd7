-- Whoever still knows the person by number finds out that it must ask again.
update spaces set settings = settings + 1 where space = '_'
