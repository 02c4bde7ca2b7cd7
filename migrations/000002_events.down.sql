drop table dead_letters;
drop table voids;
drop table events;
