update dead_letters set body = '', headers = null, pointer = null, detail = 'erased'
where position(convert_to(to_jsonb(@member::text)::text, 'UTF8') in body) > 0
