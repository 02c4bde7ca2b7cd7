delete from space_changes where key = any (@keys::uuid[]) returning space
