insert into watermarks as w (partition, complete_through, written) values (@partition, @complete_through, now())
on conflict (partition) do update
set complete_through = greatest(w.complete_through, excluded.complete_through), written = excluded.written
