package store_test

import (
	"testing"

	"coworking/pkg/event"
)

// settings is a space_upserted of Berlin.
func settings(id, clock string, said event.Settings) event.Event {
	e := tell(id, event.SpaceUpserted, clock, "")
	e.Data.Settings = &said
	return e
}

func TestASpaceIsConfiguredOnceItsZoneIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seats, zone := 40, "Europe/Berlin"
	w.write(settings("1", "08:00", event.Settings{Capacity: &seats}))
	w.want("select configured from spaces where space = 'berlin'", "false")
	w.write(settings("2", "08:00", event.Settings{TimeZone: &zone}))
	w.want("select configured from spaces where space = 'berlin'", "true")
	w.write(void("v", "2"))
	w.want("select configured from spaces where space = 'berlin'", "false")
}

// Between a change of settings and the end of its re-filing some days are filed by
// the new settings and some by the old.
func TestAVoidFindsItsTargetWhileDaysAreFiledAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	zone := "Europe/Berlin"
	w.write(tell("1", event.CheckIn, "23:30", "ada"), tell("2", event.CheckIn, "10:00", "bob"))
	w.write(settings("3", "12:00", event.Settings{TimeZone: &zone}))
	if _, err := w.store.Refile(t.Context()); err != nil { // the first of the two days
		t.Fatal(err)
	}
	w.want("select count(*) from refile", "1")
	w.write(void("v", "1"))
	refileAll(t, w.store)
	w.want("select string_agg(day::text || ' ' || checkins, ',' order by day) from space_day where events > 0", "2026-03-02 1")
	w.same()
}

// Moved to a day that has no row yet, and from there on to another one.
func TestSettingsThatChangeTwiceBeforeADayIsFiledAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	says := func(id, clock, zone, from string) event.Event {
		e := settings(id, clock, event.Settings{TimeZone: &zone, EffectiveFrom: &from})
		e.Time = e.Time.AddDate(0, -1, 0) // else it would make a row itself
		return e
	}
	w.write(says("1", "01:00", "Pacific/Pago_Pago", "2026-02-01"))
	refileAll(t, w.store)
	w.write(tell("2", event.CheckIn, "10:30", "ada"))
	w.want("select string_agg(day::text, ',') from space_day where checkins > 0", "2026-03-01")
	w.write(says("3", "02:00", "UTC", "2026-02-01"))
	w.write(says("4", "03:00", "Pacific/Kiritimati", "2026-03-03"))
	refileAll(t, w.store)
	w.want("select string_agg(day::text, ',') from space_day where checkins > 0", "2026-03-03")
	w.want("select day from events where id = '2'", "2026-03-03")
	w.same()
}
