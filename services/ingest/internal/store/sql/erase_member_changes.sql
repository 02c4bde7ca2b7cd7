update member_changes set name = null where member = @id
