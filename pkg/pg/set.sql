-- For the whole session, all settings in one round trip.
select set_config(name, setting, false)
from unnest(@names::text[], @settings::text[]) as told (name, setting)
