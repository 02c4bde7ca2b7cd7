package report

import (
	"cmp"
	"math"
	"time"
)

// clock names an hour by what the wall clock shows, so that the hours of spaces
// in several zones meet in one row, and so that the order of names is the order
// of time: what is shown for the second time comes after all that was shown for
// the first. Times are µs of wall clock since 1970.
type clock struct {
	after int64 // what was shown before it: itself, or the furthest that the clock had been when it went back
	round int   // how often it went back to here
	shown int64
}

func (c clock) compare(o clock) int {
	return cmp.Or(cmp.Compare(c.after, o.after), cmp.Compare(c.round, o.round), cmp.Compare(c.shown, o.shown))
}

// clockFace is a wall clock that is read quarter by quarter, in order of time.
type clockFace struct {
	furthest int64 // the end of the furthest quarter that it has shown
	previous int64
	round    int

	zone   *time.Location
	within window // in which the zone's clocks were not set
	offset int64  // of the zone meanwhile, in µs
}

func newClockFace() *clockFace {
	return &clockFace{furthest: math.MinInt64, previous: math.MinInt64}
}

// show is the hour of a length that the clock shows at an instant, and to the
// minute what it shows. A repeated hour is another one.
func (f *clockFace) show(at int64, zone *time.Location, length int64) (shown clock, local int64) {
	if zone != f.zone || !f.within.holds(at) {
		f.look(at, zone)
	}
	local = at + f.offset
	switch {
	case local >= f.furthest:
		f.furthest, f.round = floor(local, slotLength)+slotLength, 0
	case local < f.previous:
		f.round++
	}
	f.previous = local
	shown = clock{after: floor(local, length), round: f.round, shown: floor(local, length)}
	if f.round > 0 {
		shown.after = f.furthest - 1
	}
	return shown, local
}

// look sees when clocks of the zone were set before an instant, and when they are next.
func (f *clockFace) look(at int64, zone *time.Location) {
	then := time.UnixMicro(at).In(zone)
	_, offset := then.Zone()
	f.zone, f.offset = zone, int64(offset)*time.Second.Microseconds()
	f.within = window{distantPast, distantFuture}
	start, end := then.ZoneBounds()
	if !start.IsZero() {
		f.within.start = start.UnixMicro()
	}
	if !end.IsZero() {
		f.within.end = end.UnixMicro()
	}
}

// floor is the last multiple that is not after n.
func floor(n, multiple int64) int64 { return n - mod(n, multiple) }

// mod is the remainder that is never negative, also before 1970.
func mod(a, b int64) int64 { return (a%b + b) % b }
