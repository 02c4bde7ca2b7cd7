-- How many members there are: none ever goes.
select count(*) from members
