update dead_letters set state = @state, settled = now() where id = any (@ids::int8[]) and state = 'open'
