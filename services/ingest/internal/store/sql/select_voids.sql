select target from voids where target = any (@keys::uuid[])
