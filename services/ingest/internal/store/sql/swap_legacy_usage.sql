delete from public.legacy_usage
