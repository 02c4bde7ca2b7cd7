drop table app.personal_reads;
drop table app.keys;
drop schema app;
