insert into app.personal_reads (reader, report, query, rows) values (@reader, @report, @query, @rows)
