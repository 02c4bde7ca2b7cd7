-- Whether there is anything does not matter: that it can be asked does.
select exists (select from legacy_days) or exists (select from legacy_usage)
  or exists (select from legacy_visits v join members m on m.id = v.member)
