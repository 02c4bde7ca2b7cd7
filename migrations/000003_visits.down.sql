drop view visits;
drop table more_visits;
drop table member_day;
