drop trigger move_all_legacy_days on legacy_usage;
drop trigger move_legacy_days on legacy_usage;
drop function move_legacy_days();
drop table legacy_days;
