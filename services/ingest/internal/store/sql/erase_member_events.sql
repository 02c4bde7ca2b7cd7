update events set data = data - 'name' where member = @id and data ? 'name'
