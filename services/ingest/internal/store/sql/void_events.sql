update events set voided = true where key = any (@keys::uuid[])
