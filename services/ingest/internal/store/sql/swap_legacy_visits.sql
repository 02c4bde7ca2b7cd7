delete from public.legacy_visits
