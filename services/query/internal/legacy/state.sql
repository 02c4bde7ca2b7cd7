-- What is said of members moves the version of the space `_`. Added up by who asks: that takes
-- less than to have it done here.
select version, space = '_' as of_members from spaces
