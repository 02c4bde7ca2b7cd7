// Package visit folds what doors, kiosks and people told of one member on one
// visit day of one space into visits.
//
// It is the specification's chapter "Visit" in Go, rule by rule, and nothing
// else: no clock, no database, no settings but the day's own. The same events
// always give the same visits, in whatever order they arrived.
package visit

import "time"

// ReentryGap is how soon after a check-out a check-in still belongs to the same
// visit, that much included.
const ReentryGap = time.Hour

const reentryGap = int64(ReentryGap / time.Microsecond)

// Day is the visit day that the events lie in, [Start, End), and how long a stay
// is taken to be where nobody said. All in microseconds, the times since 1970 UTC.
type Day struct {
	Start, End  int64
	DefaultStay int64 // more than 0
}

// End is how a visit's end is known.
type End uint8

// The ends, with the numbers that the database keeps.
const (
	Explicit End = iota // measured: somebody checked out
	Timeout             // estimated: the default stay after the last touch
	Cutoff              // estimated: the day was over before that
)

// Gap is [From, To), in which the member was outside: between a check-out and a
// re-entry.
type Gap struct {
	From, To int64
}

// Visit is one stay, [In, Out), in microseconds since 1970 UTC.
type Visit struct {
	In, Out   int64
	End       End
	Checkins  int32 // the one that opened it, and those that touched it
	Party     int32 // how many people came
	Gaps      []Gap // in order, none empty
	LastTouch int64 // the last check-in, or presence, that found it open
	Method    int32 // of the event that opened it, as are zone, plan and team
	Zone      int32
	Plan      int32
	Team      int32
}

// Dwell is how long one person was inside for, in microseconds.
func (v Visit) Dwell() int64 {
	dwell := v.Out - v.In
	for _, gap := range v.Gaps {
		dwell -= gap.To - gap.From
	}
	return dwell
}

// Unit is what the events of one member on one visit day fold into. Visits are
// in order and never overlap.
type Unit struct {
	Visits    []Visit
	Checkins  int // arrivals, whether they opened a visit or touched one
	Presences int // touches, whether they found a visit open or not
	Orphans   int // departures that closed nothing
}
