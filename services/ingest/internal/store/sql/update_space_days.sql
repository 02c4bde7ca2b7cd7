update space_day s set
  version = s.version + 1, events = u.events, late = u.late, checkins = u.checkins, failed = u.failed, visits = u.visits,
  members = u.members, anonymous = u.anonymous, orphans = u.orphans, estimated = u.estimated, dwell_us = u.dwell_us,
  dwell_estimated_us = u.dwell_estimated_us, slots = u.slots
from unnest(
  @spaces::int[], @days::int[], @events::int[], @late::int[], @checkins::int[], @failed::int[], @visits::int[], @members::int[],
  @anonymous::int[], @orphans::int[], @estimated::int[], @dwell_us::int8[], @dwell_estimated_us::int8[], @slots::bytea[]
) as u (space, day, events, late, checkins, failed, visits, members, anonymous, orphans, estimated, dwell_us,
        dwell_estimated_us, slots)
where s.space = u.space and s.day = '1970-01-01'::date + u.day
