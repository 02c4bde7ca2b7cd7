-- What the old system's first report reads after an event must not be all of history.

-- One row a UTC day on which a row of legacy_usage ever was: its version moves with each
-- of them, so that who remembers a day reads it again only then. No row is ever taken
-- away: a version that began anew could be one that somebody remembers.
create table legacy_days (
  day     date primary key,
  version int8 not null
) with (fillfactor = 50);

-- The database keeps it, and no writer knows of it: neither the release before, which goes
-- on writing while this one is rolled out, nor a rebuild, nor whoever mends a row by hand.
-- Once a transaction is enough: nobody else sees what is between. Names say their schema,
-- since a writer's search path may begin elsewhere.
create function move_legacy_days() returns trigger
language plpgsql
as $$
begin
  if tg_op = 'TRUNCATE' then
    update public.legacy_days set version = version + 1;
    return null;
  end if;
  if tg_op <> 'INSERT' then
    insert into public.legacy_days as d (day, version) values ((old.slot at time zone 'UTC')::date, 1)
    on conflict (day) do update set version = d.version + 1 where d.xmin <> pg_current_xact_id()::xid;
  end if;
  if tg_op = 'INSERT' or tg_op = 'UPDATE' and new.slot <> old.slot then
    insert into public.legacy_days as d (day, version) values ((new.slot at time zone 'UTC')::date, 1)
    on conflict (day) do update set version = d.version + 1 where d.xmin <> pg_current_xact_id()::xid;
  end if;
  return null;
end
$$;

-- For each row, not for each statement: rows come in the order in which they were written,
-- and so days are locked in key order. An upsert has two statement triggers, one behind the
-- other, and two writers could then wait for each other.
create trigger move_legacy_days after insert or update or delete on legacy_usage
for each row execute function move_legacy_days();
create trigger move_all_legacy_days after truncate on legacy_usage
for each statement execute function move_legacy_days();

-- Whoever writes waits by now until all of this is there: so nothing is left out.
insert into legacy_days (day, version)
select distinct (slot at time zone 'UTC')::date, 1 from legacy_usage order by 1;
