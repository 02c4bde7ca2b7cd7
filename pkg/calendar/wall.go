package calendar

import (
	"math"
	"time"
)

// A wall clock's reading is kept as the seconds since 1970 that it would be in
// UTC: readings can be compared and added to without a zone.

// firstAt is the first second, since 1970 UTC, at which a zone's wall clock
// shows a reading or a later one. A reading that a clock change skips is that of
// the change; of a reading that comes twice it is the first.
func firstAt(zone *time.Location, wall int64) int64 {
	// No zone was ever a whole day away from UTC, so the clock shows less here.
	t := wall - secondsPerDay
	for {
		at := time.Unix(t, 0).In(zone)
		_, offset := at.Zone()
		next := nextChange(at)
		if shown := max(t, wall-int64(offset)); shown < next {
			return shown
		}
		t = next
	}
}

// nextChange is a second until which a zone's clock surely keeps the offset it
// has at an instant; there it may change.
func nextChange(at time.Time) int64 {
	_, end := at.ZoneBounds()
	switch {
	case end.IsZero():
		return math.MaxInt64
	case end.After(at):
		return end.Unix()
	default:
		// On the last day of a leap year ZoneBounds names that day's start
		// (https://go.dev/issue/81583). No zone's yearly rule falls on it.
		return (floorDiv(at.Unix(), secondsPerDay) + 1) * secondsPerDay
	}
}

// roundUp is the first multiple of 15 minutes that is not before a second.
func roundUp(second int64) int64 {
	return -floorDiv(-second, secondsPerSlot) * secondsPerSlot
}
