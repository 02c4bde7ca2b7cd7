-- Filled by COPY, which takes no conflict: hence a table before the table.
create temporary table batch (key uuid, space int4, member int4, kind int4, time timestamptz) on commit delete rows
