package report

import (
	"context"

	"coworking/pkg/calendar"
)

// Utilization is how much of the room was used.
var Utilization = define("utilization", Definition{
	Doc: "How many of the seats were taken in opening hours: on average, at most, and for how long how many.",
	Counts: []string{
		"avg is seat-minutes taken in opening hours ÷ (capacity × open minutes), up to now. More people than seats make it more than 1: it is never cut off there.",
		"Capacity is the seats of each moment, weighted by open time; peak is the highest share at one instant in opening hours.",
		"bands is the minutes of open time in which less than 60 %, 60 to 100 %, and more than 100 % of the seats of that moment were taken.",
		"after_hours_minutes is the minutes inside while the space was closed, added up over people.",
		"Without known hours a space is open all day, but for closures. Of several spaces those count together that are open at the same instant.",
	},
	Leaves: []string{
		"Capacity, avg, peak and bands are null where a space was open whose seats were not known.",
		"Where nothing was open, capacity, avg and peak are null.",
		"Presence after now, and time between a check-out and a return.",
	},
	Reads:   "The visits of the range's days, and the capacity and opening hours of each day.",
	Example: "from=2026-03-27&to=2026-04-02&space=berlin",
}, utilization)

type utilizationParams struct {
	Common
	Filtered
	ByVisit
	Compared

	Interval string `param:"interval" enum:"day,week,month" default:"day" doc:"How many days a row counts."`
}

type utilizationRow struct {
	Start      calendar.Date `json:"start" doc:"The visit day, or the first day of the week or month."`
	Capacity   *Mean         `json:"capacity" unit:"seats" doc:"Seats, weighted by open time; null where they are not known."`
	Avg        *Mean         `json:"avg" unit:"share" doc:"Seats taken ÷ seats, weighted by open time."`
	Peak       *Mean         `json:"peak" unit:"share" doc:"The same at the instant when it was highest."`
	Bands      loadBands     `json:"bands"`
	AfterHours *Minutes      `json:"after_hours_minutes" unit:"minutes" doc:"Time inside while closed, times people."`
}

type loadBands struct {
	Under *Minutes `json:"lt60" unit:"minutes" doc:"Open time with less than 60 % of the seats taken."`
	Well  *Minutes `json:"60_100" unit:"minutes" doc:"The same with 60 to 100 %."`
	Over  *Minutes `json:"gt100" unit:"minutes" doc:"The same with more than 100 %."`
}

type utilizationTotals struct {
	Capacity   *Mean     `json:"capacity"`
	Avg        *Mean     `json:"avg"`
	Peak       *Mean     `json:"peak"`
	Bands      loadBands `json:"bands"`
	AfterHours *Minutes  `json:"after_hours_minutes"`
}

// load is how many were where there was room for how many: of a row, or of the range.
type load struct {
	alive    bool
	unknown  bool  // a space was open whose seats are not known
	sweep    sweep // in opening hours
	open     int64 // µs in which at least one space was open
	offered  int64 // seats × µs of those
	taken    int64 // headcount × µs of those
	peak     float64
	bands    [3]int64 // µs
	outHours int64    // headcount × µs while closed
	ends     ends
}

// loads is a utilization in the making.
type loads struct {
	buckets buckets
	rows    []load
	total   load
	ends    ends
}

func utilization(ctx context.Context, s *scope, p utilizationParams) (counted[utilizationRow, utilizationTotals], error) {
	l, err := s.loads(ctx, p.Interval)
	answer := counted[utilizationRow, utilizationTotals]{
		totals: l.total.totals(), ends: l.ends, interval: p.Interval, partialLast: s.anyRunning(s.to - 1),
	}
	for i := range l.rows {
		t := l.rows[i].totals()
		answer.rows = append(answer.rows, utilizationRow{l.buckets.starts[i], t.Capacity, t.Avg, t.Peak, t.Bands, t.AfterHours})
	}
	return answer, err
}

// loads measures the rows of an interval, and the range.
func (s *scope) loads(ctx context.Context, interval string) (loads, error) {
	l := loads{buckets: s.buckets(interval)}
	l.rows = make([]load, len(l.buckets.starts))
	pieces := map[placeDay][]piece{}
	rests := make([][]daysOf, len(l.rows))
	for _, place := range s.places {
		for d := s.from; d < s.to; d++ {
			if !place.alive(d) {
				continue
			}
			row := l.buckets.row(d)
			l.rows[row].alive = true
			rests[row] = append(rests[row], daysOf{place, d, d + 1})
			span := s.span(place, d).before(s.asOf)
			first, stop := place.ownDays(span)
			for own := first; own < stop; own++ {
				piece := s.piece(place, own, span, row)
				l.rows[row].furnish(piece, place.calendar.On(own).Capacity)
				pieces[placeDay{place, own}] = append(pieces[placeDay{place, own}], piece)
			}
		}
	}
	on, days, err := unmeasured(ctx, s, "load", l.rows, rests)
	if err != nil {
		return l, err
	}
	err = s.inTime(ctx, days, len(l.rows), func(v *stay) (last int) {
		counts := &l.ends
		for _, piece := range pieces[placeDay{v.place, v.day}] {
			l.rows[piece.row].stay(v, piece)
			counts, last = &l.rows[piece.row].ends, piece.row
		}
		if s.instants(v.place).holds(v.in) {
			counts.count(v, s.asOf)
		}
		return last
	}, func(row int, until int64) bool { return l.rows[row].measure(until) })
	if err != nil {
		return l, err
	}
	for i := range l.rows {
		row := &l.rows[i]
		s.reader.memory.results.keep(on[i], *row, rowRoom)
		l.total.add(row)
		l.ends.all += row.ends.all
		l.ends.estimated += row.ends.estimated
	}
	return l, nil
}

// furnish notes when it is open, and for how many.
func (l *load) furnish(p piece, capacity int) {
	for _, open := range p.open {
		l.unknown = l.unknown || capacity == 0
		l.sweep.add(
			step{at: open.start, capacity: int64(capacity), open: 1}, step{at: open.end, capacity: -int64(capacity), open: -1})
	}
}

// stay notes a visit's presence in a piece of the row.
func (l *load) stay(v *stay, p piece) {
	v.present(p.window, func(inside window) {
		l.outHours += inside.length() * v.party
		for _, open := range p.open {
			if taken := inside.cut(open); !taken.empty() {
				l.outHours -= taken.length() * v.party
				l.sweep.add(step{at: taken.start, headcount: v.party}, step{at: taken.end, headcount: -v.party})
			}
		}
	})
}

// measure sweeps over the row up to an instant, and says whether anything is left of it.
func (l *load) measure(until int64) bool {
	return l.sweep.until(until, func(w window, held step) {
		if held.open == 0 {
			return
		}
		l.open += w.length()
		l.offered += held.capacity * w.length()
		l.taken += held.headcount * w.length()
		if held.capacity == 0 {
			return
		}
		l.peak = max(l.peak, float64(held.headcount)/float64(held.capacity))
		switch {
		case held.headcount*100 < held.capacity*60:
			l.bands[0] += w.length()
		case held.headcount <= held.capacity:
			l.bands[1] += w.length()
		default:
			l.bands[2] += w.length()
		}
	})
}

// add counts a row into the range.
func (l *load) add(o *load) {
	l.alive = l.alive || o.alive
	l.unknown = l.unknown || o.unknown
	l.open += o.open
	l.offered += o.offered
	l.taken += o.taken
	l.peak = max(l.peak, o.peak)
	for i, minutes := range o.bands {
		l.bands[i] += minutes
	}
	l.outHours += o.outHours
}

// totals is the load in the words of an answer: null outside of the life of a space.
func (l *load) totals() utilizationTotals {
	var t utilizationTotals
	if !l.alive {
		return t
	}
	afterHours := Minutes(l.outHours)
	t.AfterHours = &afterHours
	if l.unknown {
		return t
	}
	under, well, over := Minutes(l.bands[0]), Minutes(l.bands[1]), Minutes(l.bands[2])
	t.Bands = loadBands{&under, &well, &over}
	if l.open > 0 {
		peak := Mean(l.peak)
		t.Capacity, t.Avg, t.Peak = mean(l.offered, l.open), mean(l.taken, l.offered), &peak
	}
	return t
}
