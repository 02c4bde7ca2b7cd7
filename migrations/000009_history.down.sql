drop index tokens_member;
drop index tokens_used;
alter index events_time reset (autosummarize);
