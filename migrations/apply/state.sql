-- golang-migrate's table has one row, or none where everything was taken back.
select version, dirty
from schema_migrations
