drop function day_slots (bytea);
