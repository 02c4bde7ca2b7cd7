package calendar

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Change is what one event said of a space. A nil field is not named by it and
// stays as it was.
type Change struct {
	Time   time.Time // with Source and ID: decides between changes for the same date
	Source string
	ID     string

	EffectiveFrom *Date // nil: the date of Time in the zone then known
	Name          *string
	TimeZone      *string        // an IANA name; one that LoadZone refuses counts as not named
	Capacity      *int           // seats
	DayStart      *time.Duration // after midnight by the wall clock, a multiple of 15 minutes under 24 h, else not named
	DefaultStay   *time.Duration // more than 0, else not named
	OpeningHours  *Hours
	Closures      *[]Date
}

// Hours is the opening time of each weekday as [from, to] after midnight by the
// wall clock. A `to` that is not after `from` is on the next date. A weekday
// that is missing is closed.
type Hours map[time.Weekday][2]time.Duration

// Settings is what holds for a space on the dates from From on.
type Settings struct {
	From         Date // math.MinInt32 for the earliest
	Name         string
	Zone         *time.Location
	DayStart     time.Duration // after midnight by the wall clock
	DefaultStay  time.Duration
	Capacity     int    // seats; 0: unknown
	OpeningHours Hours  // nil: unknown
	Closures     []Date // sorted
	Configured   bool   // somebody named the zone
}

// unconfigured is what holds for a space that nobody described.
func unconfigured() Settings {
	return Settings{From: math.MinInt32, Zone: time.UTC, DefaultStay: 4 * time.Hour}
}

// settingsOf lays a set of changes out in time. On each date a field has the
// value of the change that names it with the latest effective date by then, of
// several the last one said; before any, that of the earliest.
func settingsOf(changes []Change) []Settings {
	words := dated(changes)

	// The earliest word on each field holds from the beginning: said last here,
	// it wins.
	slices.SortStableFunc(words, func(a, b word) int { return cmp.Compare(b.from, a.from) })
	earliest := unconfigured()
	for _, w := range words {
		earliest = w.appliedTo(earliest)
	}

	slices.SortStableFunc(words, func(a, b word) int { return cmp.Compare(a.from, b.from) })
	all := []Settings{earliest}
	for _, w := range words {
		settings := w.appliedTo(all[len(all)-1])
		settings.From = w.from
		if all[len(all)-1].From == w.from {
			all[len(all)-1] = settings
		} else {
			all = append(all, settings)
		}
	}
	return all
}

// word is a change whose effective date and zone are known.
type word struct {
	Change

	from Date
	zone *time.Location // nil: not named
}

// dated is the changes in the order they were said, each with its effective date.
func dated(changes []Change) []word {
	said := slices.Clone(changes)
	slices.SortFunc(said, func(a, b Change) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Source, b.Source), cmp.Compare(a.ID, b.ID))
	})
	words := make([]word, len(said))
	known := time.UTC
	for i, change := range said {
		w := word{Change: change}
		if change.TimeZone != nil {
			if zone, err := LoadZone(*change.TimeZone); err == nil {
				w.zone, known = zone, zone
			}
		}
		if change.EffectiveFrom != nil {
			w.from = *change.EffectiveFrom
		} else {
			w.from = DateOf(change.Time.In(known))
		}
		words[i] = w
	}
	return words
}

// appliedTo is settings with the fields that the word names.
func (w word) appliedTo(s Settings) Settings {
	if w.Name != nil {
		s.Name = *w.Name
	}
	if w.zone != nil {
		s.Zone, s.Configured = w.zone, true
	}
	if w.DayStart != nil && *w.DayStart >= 0 && *w.DayStart < 24*time.Hour && *w.DayStart%slot == 0 {
		s.DayStart = *w.DayStart
	}
	if w.DefaultStay != nil && *w.DefaultStay > 0 {
		s.DefaultStay = *w.DefaultStay
	}
	if w.Capacity != nil {
		s.Capacity = *w.Capacity
	}
	if w.OpeningHours != nil {
		s.OpeningHours = *w.OpeningHours
	}
	if w.Closures != nil {
		s.Closures = slices.Sorted(slices.Values(*w.Closures))
	}
	return s
}

// wall is what the wall clock shows, at the earliest, when a date's visit day begins.
func (s Settings) wall(d Date) int64 {
	return int64(d)*secondsPerDay + int64(s.DayStart/time.Second)
}

// start is where a date's visit day begins while these settings hold, in
// microseconds since 1970 UTC.
func (s Settings) start(d Date) int64 {
	return roundUp(firstAt(s.Zone, s.wall(d))) * microsPerSecond
}
