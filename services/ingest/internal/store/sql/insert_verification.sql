insert into verify_results (started, finished, equal, report) values (@started, @finished, @equal, @report)
