select id from members where member = @member for update
