-- What space_day.slots holds, a row a slot: for people, not for reports, which read
-- the bytes themselves. The format is described in pkg/slots, whose tests hold this
-- function against the Go code: change both together.
--
-- Slot 0 begins where the visit day begins, each slot is 15 minutes long. presence_us
-- is headcount × microseconds. Bytes that nobody packed are an error.
create function day_slots(packed bytea)
returns table (
  slot                 int4,
  checkins             int8,
  failed               int8,
  arrivals             int8,
  anonymous            int8,
  departures_explicit  int8,
  departures_estimated int8,
  presence_us          int8
)
language plpgsql immutable strict parallel safe
as $$
#variable_conflict use_column
declare
  per_series constant int4 := 512; -- the most slots a day has
  counters int8[] := '{}';         -- of all seven series, one behind the other; null is 0
  series int4 := 0;                -- the one that is being read
  size int4;                       -- its number of counters; null: comes next
  filled int4;                     -- how many of them were read
  zeros boolean := false;          -- the next number is the length of a run of zeros
  longest int4 := 0;
  number int8 := 0;                -- seven bits a byte, the lowest first
  shift int4 := 0;
  byte int4;
begin
  if octet_length(packed) = 0 then
    return; -- nothing happened
  end if;
  if get_byte(packed, 0) <> 1 then
    raise exception 'packed slots: version %, not 1', get_byte(packed, 0);
  end if;
  for at in 1 .. octet_length(packed) - 1 loop
    byte := get_byte(packed, at);
    number := number | ((byte & 127)::int8 << shift);
    if byte > 127 then
      shift := shift + 7;
      continue;
    end if;
    if size is null then
      size := number;
      filled := 0;
    elsif zeros then
      filled := filled + number;
      zeros := false;
    elsif number = 0 then
      zeros := true;
    else
      filled := filled + 1;
      counters[series * per_series + filled] := number;
    end if;
    if filled = size then
      longest := greatest(longest, size);
      series := series + 1;
      size := null;
    end if;
    number := 0;
    shift := 0;
  end loop;
  if series <> 7 or size is not null or shift > 0 then
    raise exception 'packed slots: % whole series, not 7', series;
  end if;
  return query
  select
    n,
    coalesce(counters[n + 1], 0),
    coalesce(counters[n + 1 + per_series], 0),
    coalesce(counters[n + 1 + per_series * 2], 0),
    coalesce(counters[n + 1 + per_series * 3], 0),
    coalesce(counters[n + 1 + per_series * 4], 0),
    coalesce(counters[n + 1 + per_series * 5], 0),
    coalesce(counters[n + 1 + per_series * 6], 0)
  from generate_series(0, longest - 1) as n
  order by n;
end
$$;
