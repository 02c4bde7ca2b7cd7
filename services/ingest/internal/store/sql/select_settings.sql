-- Asked once the advisory lock is held: settings cannot change behind it.
select id, settings from spaces where id = any (@spaces::int[])
