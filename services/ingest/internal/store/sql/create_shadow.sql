-- Tables like the real ones, first in the search path: what derives a space-day
-- writes to them without knowing.
create temporary table space_day (like public.space_day including defaults including indexes including storage);
create temporary table member_day (like public.member_day including defaults including indexes including storage);
create temporary table more_visits (like public.more_visits including defaults including indexes including storage);
create temporary table method_day (like public.method_day including defaults including indexes including storage);
