-- The statement that the runner of this name is at: nothing, if it is at none.
select pg_cancel_backend(pid)
from pg_stat_activity
where application_name = @name
