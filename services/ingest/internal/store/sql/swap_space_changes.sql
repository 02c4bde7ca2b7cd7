delete from space_changes where space = @space
