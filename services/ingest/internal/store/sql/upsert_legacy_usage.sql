insert into legacy_usage as l (slot, used)
select slot, used from unnest(@slots::timestamptz[], @used::int8[]) as d (slot, used)
order by slot
on conflict (slot) do update set used = l.used + excluded.used
