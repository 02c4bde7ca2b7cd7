-- When each source was last heard of: whether a number is low or a reader is dead.

-- One row a source and space. last_event is the latest time that it sent, also of
-- events that were taken back: they show that it lives. duplicates counts events
-- that it published again; it is best effort, and nothing can rebuild it.
create table sources (
  space      int4 not null,
  source     int4 not null,
  last_event timestamptz not null,
  duplicates int8 not null default 0,
  primary key (space, source)
) with (fillfactor = 50);
insert into sources (space, source, last_event)
select space, source, max(time) from events group by space, source order by space, source;

-- Tokens are reported by when they were issued.
create index tokens_issued on tokens (space, issued);
