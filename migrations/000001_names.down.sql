drop table member_changes;
drop table members;
drop table space_changes;
drop table spaces;
drop table names;
