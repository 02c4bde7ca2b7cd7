drop index tokens_issued;
drop table sources;
