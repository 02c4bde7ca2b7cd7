-- What reports read must not grow with history.

-- A range of events that nobody has summarized yet is read by everybody who looks for
-- events by time: so it is summarized when the next one begins, not with the next vacuum.
alter index events_time set (autosummarize = on);

-- Tokens are also asked for by when they were used, and by whom they were handed to.
create index tokens_used on tokens (space, used) where used is not null;
create index tokens_member on tokens (member, issued);
