drop table verify_results;
drop table watermarks;
drop table refile;
drop table legacy_visits;
drop table legacy_usage;
drop table tokens;
drop table method_day;
drop table space_day;
