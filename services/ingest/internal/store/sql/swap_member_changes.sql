delete from public.member_changes
