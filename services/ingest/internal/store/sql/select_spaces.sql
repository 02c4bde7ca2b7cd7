select id, space, settings from spaces where space = any (@spaces::text[])
