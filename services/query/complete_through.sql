select min(complete_through) from watermarks
