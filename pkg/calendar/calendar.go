// Package calendar is a space's days: when each begins and ends in UTC, which
// settings hold on it, and when the space is open.
//
// A visit day begins at the first instant whose wall clock, in the space's
// zone, shows that date and `day_start` or later. So a day has 23, 24 or 25
// hours, and a date that a zone skipped has none: it begins and ends at once.
// Days have no gaps between them and never overlap, also where a change of
// settings cuts or stretches one.
//
// Every day begins on a multiple of 15 minutes of UTC, because that is how
// finely presence is counted. All but a handful of clock rules in history do so
// by themselves; where one does not, the day begins at the next multiple.
package calendar

import (
	"math"
	"slices"
	"time"
)

// slot is what every day's start is a multiple of: the width of the counters
// that a day is filed in.
const slot = 15 * time.Minute

// The dates whose starts are worked out once, when a calendar is made: all that
// events can well carry. Dates outside of it are right too, only slower.
var (
	tableFrom = Date(0)                                             // 1970-01-01
	tableTo   = DateOf(time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC)) // not included
)

// Calendar is the days of one space. It never changes once made, so that any
// number of goroutines may use one.
type Calendar struct {
	stretches []stretch
	runs      []run
	tableEnd  int64 // start of tableTo
}

// stretch is the dates from settings.From to the next stretch, on which the
// same settings hold.
type stretch struct {
	settings Settings
	latest   int64 // no day of it starts later than this: it is where the next stretch begins
}

// run is dates that begin 24 hours apart, from first to the next run's first.
// A zone with daylight saving time has two or three a year.
type run struct {
	first Date
	start int64
}

const (
	microsPerSecond = int64(time.Second / time.Microsecond)
	microsPerDay    = int64(24 * time.Hour / time.Microsecond)
	secondsPerDay   = int64(24 * time.Hour / time.Second)
	secondsPerSlot  = int64(slot / time.Second)
)

// New is the calendar that a set of changes makes, in whatever order they are
// given. No changes give the calendar of a space that nobody described:
// midnight days in UTC.
func New(changes []Change) *Calendar {
	return build(settingsOf(changes))
}

// Midnights is the calendar of plain dates in a zone.
func Midnights(zone *time.Location) *Calendar {
	settings := unconfigured()
	settings.Zone = zone
	settings.Configured = true
	return build([]Settings{settings})
}

// build lays out the days of settings that follow each other in time.
func build(settings []Settings) *Calendar {
	c := &Calendar{stretches: make([]stretch, len(settings))}
	latest := int64(math.MaxInt64)
	for i := len(settings) - 1; i >= 0; i-- {
		c.stretches[i] = stretch{settings: settings[i], latest: latest}
		if i > 0 {
			latest = min(latest, settings[i].start(settings[i].From))
		}
	}
	for d := tableFrom; d < tableTo; {
		start := c.start(d)
		if start != c.continued(d) {
			c.runs = append(c.runs, run{first: d, start: start})
		}
		d += c.regular(d, start)
	}
	c.tableEnd = c.start(tableTo)
	return c
}

// start is where a date begins. The last day before new settings is cut where
// these begin; if they begin so early (a move across the date line does that)
// that whole old days are overtaken, those have no instants left.
func (c *Calendar) start(d Date) int64 {
	s := c.on(d)
	return min(s.settings.start(d), s.latest)
}

// regular is how many dates, from d on, begin 24 hours apart, at least one. d
// itself begins at start.
func (c *Calendar) regular(d Date, start int64) Date {
	s := c.on(d)
	begins := time.UnixMicro(start).In(s.settings.Zone)
	_, offset := begins.Zone()
	undisturbed := s.settings.wall(d) - int64(offset)
	if start != roundUp(undisturbed)*microsPerSecond {
		return 1 // a gap or a change moved it: the next day is another matter
	}
	days := int64(tableTo - d)
	if next := c.next(d); next != nil {
		days = min(days, int64(next.From-d), (s.latest-start)/microsPerDay+1)
	}
	if change := nextChange(begins); change < math.MaxInt64 {
		days = min(days, -floorDiv(undisturbed-change, secondsPerDay))
	}
	return Date(max(days, 1))
}

// continued is where a date would begin if it went on with the last run.
func (c *Calendar) continued(d Date) int64 {
	if len(c.runs) == 0 {
		return math.MinInt64
	}
	last := c.runs[len(c.runs)-1]
	return last.start + int64(d-last.first)*microsPerDay
}

// on is the stretch that a date lies in.
func (c *Calendar) on(d Date) *stretch {
	for i := len(c.stretches) - 1; i > 0; i-- {
		if c.stretches[i].settings.From <= d {
			return &c.stretches[i]
		}
	}
	return &c.stretches[0]
}

// next is the settings that follow those of a date, nil if none do.
func (c *Calendar) next(d Date) *Settings {
	for i := range c.stretches {
		if c.stretches[i].settings.From > d {
			return &c.stretches[i].settings
		}
	}
	return nil
}

// On is the settings that hold on a date.
func (c *Calendar) On(d Date) Settings { return c.on(d).settings }

// Day is the visit day that holds an instant.
func (c *Calendar) Day(t time.Time) Date { return c.DayAt(t.UnixMicro()) }

// DayAt is Day for an instant given in microseconds since 1970 UTC.
func (c *Calendar) DayAt(micros int64) Date {
	if micros < c.runs[0].start || micros >= c.tableEnd {
		return c.dayOutside(micros)
	}
	low, high := 0, len(c.runs) // the run is in [low, high)
	for high-low > 1 {
		middle := int(uint(low+high) / 2)
		if c.runs[middle].start <= micros {
			low = middle
		} else {
			high = middle
		}
	}
	r := c.runs[low]
	d := r.first + Date((micros-r.start)/microsPerDay)
	if low+1 < len(c.runs) {
		// The last day before the next run may be longer than 24 hours.
		return min(d, c.runs[low+1].first-1)
	}
	return min(d, tableTo-1)
}

// dayOutside is DayAt for instants that the table of runs does not hold.
func (c *Calendar) dayOutside(micros int64) Date {
	// No day begins more than 12 hours of zone and 24 of day_start after its
	// date does in UTC, so this one has begun.
	d := Date(floorDiv(micros, microsPerDay)) - 2
	for c.start(d+1) <= micros {
		d++
	}
	return d
}

// Bounds is a date's visit day, [start, end), in UTC. The end is always the
// next date's start. Both are the same for a date that has no instants.
func (c *Calendar) Bounds(d Date) (start, end time.Time) {
	from, to := c.Span(d)
	return time.UnixMicro(from).UTC(), time.UnixMicro(to).UTC()
}

// Span is Bounds in microseconds since 1970 UTC.
func (c *Calendar) Span(d Date) (start, end int64) {
	return c.begin(d), c.begin(d + 1)
}

// begin is start, from the table where that holds the date.
func (c *Calendar) begin(d Date) int64 {
	if d < tableFrom || d >= tableTo {
		return c.start(d)
	}
	i, found := slices.BinarySearchFunc(c.runs, d, func(r run, d Date) int { return int(r.first) - int(d) })
	if !found {
		i--
	}
	return c.runs[i].start + int64(d-c.runs[i].first)*microsPerDay
}

// Changed is the dates of [from, to) that two calendars see differently, so that
// what was filed under one must be filed anew under the other: the day begins or
// ends elsewhere, or an end is estimated with another stay. An instant whose day
// differs lies in such a date of both.
func Changed(a, b *Calendar, from, to Date) []Date {
	var changed []Date
	for d := from; d < to; d++ {
		aStart, aEnd := a.Span(d)
		bStart, bEnd := b.Span(d)
		if aStart != bStart || aEnd != bEnd || a.on(d).settings.DefaultStay != b.on(d).settings.DefaultStay {
			changed = append(changed, d)
		}
	}
	return changed
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
