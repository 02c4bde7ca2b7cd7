update members set member = @stand_in, name = null where id = @id
