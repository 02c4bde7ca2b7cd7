delete from member_changes where key = any (@keys::uuid[]) returning member
