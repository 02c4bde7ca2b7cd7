select (select count(*) from users), (select count(*) from tokens)
