-- Said once connected: a pooler would refuse it among the parameters of a session.
set default_transaction_read_only = on
