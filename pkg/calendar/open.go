package calendar

import (
	"slices"
	"time"
)

// Interval is the instants of [From, To).
type Interval struct {
	From, To time.Time
}

// IsOpen says whether a date is an open day: one whose weekday has opening
// hours, if any are known, and that is no closure. What reaches past midnight
// from the evening before does not make a day an open one.
func (c *Calendar) IsOpen(d Date) bool {
	s := c.On(d)
	if _, closed := slices.BinarySearch(s.Closures, d); closed {
		return false
	}
	_, open := s.OpeningHours[d.Weekday()]
	return open || s.OpeningHours == nil
}

// Open is the intervals within a date's visit day in which the space is open:
// in order, apart from each other, none empty. Where no hours are known, that is
// the whole day. Hours that reach past midnight belong to the date they began
// on; what of them lies in the next visit day is open then, closure or not.
func (c *Calendar) Open(d Date) []Interval {
	start, end := c.Bounds(d)
	var open []Interval
	for _, date := range []Date{d - 1, d, d + 1} {
		hours, opens := c.hours(date)
		from, to := latest(hours.From, start), earliest(hours.To, end)
		if !opens || !from.Before(to) {
			continue
		}
		if last := len(open) - 1; last >= 0 && !from.After(open[last].To) {
			open[last].To = latest(open[last].To, to)
		} else {
			open = append(open, Interval{From: from, To: to})
		}
	}
	return open
}

// OpenMinutes is how long the space is open within a date's visit day, in minutes.
func (c *Calendar) OpenMinutes(d Date) int {
	var open time.Duration
	for _, interval := range c.Open(d) {
		open += interval.To.Sub(interval.From)
	}
	return int(open / time.Minute)
}

// hours is the opening hours that begin on a date, wherever they end.
func (c *Calendar) hours(d Date) (Interval, bool) {
	if !c.IsOpen(d) {
		return Interval{}, false
	}
	s := c.On(d)
	if s.OpeningHours == nil {
		start, end := c.Bounds(d)
		return Interval{From: start, To: end}, true
	}
	opening := s.OpeningHours[d.Weekday()]
	from, to := opening[0], opening[1]
	if to <= from {
		to += 24 * time.Hour
	}
	hours := Interval{From: s.at(d, from), To: s.at(d, to)}
	// A date that newer settings overtook never came to its opening.
	return hours, hours.From.UnixMicro() < c.on(d).latest
}

// at is the first instant whose wall clock shows an offset from a date's
// midnight, or later.
func (s Settings) at(d Date, offset time.Duration) time.Time {
	wall := int64(d)*secondsPerDay + int64(offset/time.Second)
	return time.Unix(firstAt(s.Zone, wall), 0).UTC()
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
