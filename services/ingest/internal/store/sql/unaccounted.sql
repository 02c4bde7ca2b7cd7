-- Which of these messages are neither accepted nor buried.
select m.seq
from unnest(@seqs::int8[], @keys::uuid[]) as m (seq, key)
where not exists (select 1 from events e where e.key = m.key)
  and not exists (select 1 from dead_letters d where d.stream_created = @stream and d.seq = m.seq)
order by m.seq
