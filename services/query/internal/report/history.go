package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"coworking/pkg/calendar"
)

// arrival is when a visit of a member began.
type arrival struct {
	member int32 // 0: there was none
	space  int32
	day    calendar.Date // of the space's own calendar
	in     int64
}

func (a arrival) compare(o arrival) int {
	return cmp.Or(cmp.Compare(a.in, o.in), cmp.Compare(a.space, o.space))
}

// date is the date of the answer that holds a visit's begin: of the zone that was
// asked for, or of the space's own.
func (s *scope) date(a arrival) calendar.Date {
	if s.zone != nil {
		return s.zone.DayAt(a.in)
	}
	return a.day
}

// A visit day begins at most 14 hours before its date does in UTC, and less than 36
// after. So the days of spaces that hold an instant have one of four dates, and two days
// whose dates are so far apart have no instant in common, wherever the spaces are.
const apart = 4

// around is the dates of the days that may hold an instant, as [first, stop).
func around(at int64) (first, stop calendar.Date) {
	d := calendar.DateOf(time.UnixMicro(at).UTC())
	return d - 2, d + 2
}

// earliest is an instant before which no day of a date has begun, wherever the space is.
func earliest(d calendar.Date) int64 { return d.Time().Add(-14 * time.Hour).UnixMicro() }

// annals is who came on each day of the lives of spaces, up to asOf. They are a bit a
// member: all of history is read in no time, and when somebody came need be known of
// the few days alone that tell.
type annals struct {
	*scope
	lives    []daysOf
	turnouts [][]*turnout // of each life, day by day
}

// annals opens those of the spaces that are asked for, or of all that the asker may see.
// Which visits count is not narrowed down: the first visit is the first.
func (s *scope) annals(ctx context.Context, anywhere bool) (annals, error) {
	a := annals{scope: s}
	places := s.places
	if anywhere {
		places = s.visible
	}
	_, tomorrow := around(s.asOf)
	for _, p := range places {
		if p.lives && p.firstDay < tomorrow {
			a.lives = append(a.lives, daysOf{p, p.firstDay, tomorrow})
		}
	}
	var err error
	a.turnouts, err = s.turnouts(ctx, a.lives)
	return a, err
}

// turnouts is who came on days of spaces, up to asOf. When they came need be known of those
// days alone that may not be over.
func (s *scope) turnouts(ctx context.Context, asked []daysOf) ([][]*turnout, error) {
	begun, _ := around(s.asOf)
	over, running := slices.Clone(asked), slices.Clone(asked)
	for i, a := range asked {
		over[i].stop = max(a.first, min(a.stop, begun))
		running[i].first = over[i].stop
	}
	known, err := s.recallMembers(ctx, over...)
	if err != nil {
		return nil, err
	}
	sofar, err := s.recallArrivals(ctx, running...)
	if err != nil {
		return nil, err
	}
	turnouts := make([][]*turnout, len(asked))
	for i := range asked {
		for _, d := range known[i] {
			turnouts[i] = append(turnouts[i], d.turnout)
		}
		for _, d := range sofar[i] {
			t := &turnout{}
			for _, c := range d.until(s.asOf) {
				t.set.add(c.member)
			}
			turnouts[i] = append(turnouts[i], t)
		}
	}
	return turnouts, nil
}

// until is the visits of members that began by an instant.
func (d *dayMemory) until(asOf int64) []came {
	n, _ := slices.BinarySearchFunc(d.arrivals, asOf+1, func(c came, at int64) int { return cmp.Compare(c.in, at) })
	return d.arrivals[:n]
}

// span is the dates on which any of the spaces lived.
func (a *annals) span() (first, stop calendar.Date) {
	for i, l := range a.lives {
		if i == 0 || l.first < first {
			first = l.first
		}
		stop = max(stop, l.stop)
	}
	return first, stop
}

// on calls yield with each space that lived on a date, and who came.
func (a *annals) on(d calendar.Date, yield func(p *place, came *turnout)) {
	for i, l := range a.lives {
		if l.first <= d && d < l.stop {
			yield(l.place, a.turnouts[i][d-l.first])
		}
	}
}

// everybody is who ever came.
func (a *annals) everybody() memberSet {
	var all memberSet
	for _, days := range a.turnouts {
		for _, t := range days {
			t.enter(&all)
		}
	}
	return all
}

// firsts is the first visit of each member, by number.
func (a *annals) firsts(ctx context.Context) ([]arrival, error) {
	first, _ := a.span()
	return a.foremost(ctx, a.telling(first, 1), arrival.compare)
}

// lasts is the last visit of each member before the days of a date, by number.
func (a *annals) lasts(ctx context.Context, before calendar.Date) ([]arrival, error) {
	return a.foremost(ctx, a.telling(before-1, -1), func(one, other arrival) int { return other.compare(one) })
}

// telling is the days that tell which visit of a member was the first from a date on, or
// with a step of -1 the last up to it: those on which somebody came who had not come
// on any day that was wholly before.
func (a *annals) telling(from calendar.Date, step int) []daysOf {
	var days []daysOf
	var seen memberSet
	first, stop := a.span()
	for i := 0; ; i++ {
		d := from.AddDays(i * step)
		if d < first || d >= stop {
			return days
		}
		if i >= apart {
			a.on(d.AddDays(-apart*step), func(_ *place, came *turnout) { came.enter(&seen) })
		}
		a.on(d, func(p *place, came *turnout) {
			if !came.within(&seen) {
				days = append(days, daysOf{p, d, d + 1})
			}
		})
	}
}

// foremost is of each member the visit of some days that comes before all others, by
// number.
func (a *annals) foremost(ctx context.Context, days []daysOf, order func(one, other arrival) int) ([]arrival, error) {
	var found []arrival
	err := a.eachArrival(ctx, days, func(visit arrival) {
		if missing := int(visit.member) + 1 - len(found); missing > 0 {
			found = append(found, make([]arrival, missing)...)
		}
		if best := &found[visit.member]; best.member == 0 || order(visit, *best) < 0 {
			*best = visit
		}
	})
	return found, err
}

// eachArrival calls yield with the visits of members that began on some days, up to asOf, in
// the order of the days, few at a time.
func (s *scope) eachArrival(ctx context.Context, days []daysOf, yield func(arrival)) error {
	for p, err := range s.portions(ctx, days, ofArrivals) {
		if err != nil {
			return err
		}
		for at, d := range p.days() {
			for _, c := range d.until(s.asOf) {
				yield(arrival{c.member, at.place.id, at.day, c.in})
			}
		}
	}
	return nil
}

// history calls yield with each visit of every member that began from some instant on, up to
// another one and to asOf, and with the one before it, which has no member if there is none:
// those of a member in order of time.
func (s *scope) history(ctx context.Context, anywhere bool, during window, yield func(before, visit arrival)) error {
	a, err := s.annals(ctx, anywhere)
	if err != nil {
		return err
	}
	first, _ := around(during.start)
	_, stop := around(during.end)
	last, err := a.lasts(ctx, first) // of each member, by number
	if err != nil {
		return err
	}
	var days []daysOf // date by date
	for d := first; d < stop; d++ {
		a.on(d, func(p *place, _ *turnout) { days = append(days, daysOf{p, d, d + 1}) })
	}
	var waiting []arrival // for what may have come before
	for p, err := range s.portions(ctx, days, ofArrivals) {
		if err != nil {
			return err
		}
		for at, d := range p.days() {
			for _, c := range d.until(s.asOf) {
				waiting = append(waiting, arrival{c.member, at.place.id, at.day, c.in})
			}
		}
		sure := int64(distantFuture)
		if p.next != nil {
			sure = earliest(p.next.first)
		}
		ordered := byMember(waiting)
		waiting = waiting[:0]
		for _, visit := range ordered {
			if visit.in >= sure {
				waiting = append(waiting, visit)
				continue
			}
			if missing := int(visit.member) + 1 - len(last); missing > 0 {
				last = append(last, make([]arrival, missing)...)
			}
			yield(last[visit.member], visit)
			last[visit.member] = visit
		}
	}
	return nil
}

// byMember orders arrivals by member, a member's by time: they come by date, so that it
// is enough to deal them out, each to its place among the last ones.
func byMember(arrivals []arrival) []arrival {
	var last int32
	for i := range arrivals {
		last = max(last, arrivals[i].member)
	}
	begins := make([]int, last+2)
	for i := range arrivals {
		begins[arrivals[i].member+1]++
	}
	for i := 1; i < len(begins); i++ {
		begins[i] += begins[i-1]
	}
	ordered, next := make([]arrival, len(arrivals)), slices.Clone(begins)
	for _, a := range arrivals {
		at := next[a.member]
		for ; at > begins[a.member] && a.compare(ordered[at-1]) < 0; at-- {
			ordered[at] = ordered[at-1]
		}
		ordered[at] = a
		next[a.member]++
	}
	return ordered
}

// attendance is who came on each date of the answer.
type attendance struct {
	first calendar.Date
	sets  []memberSet
}

// on is who came on a date. The set is not to be changed.
func (a attendance) on(d calendar.Date) memberSet {
	if d < a.first || d >= a.stop() {
		return memberSet{}
	}
	return a.sets[d-a.first]
}

// during is who came on any of the dates [from, to).
func (a attendance) during(from, to calendar.Date) memberSet {
	var all memberSet
	for d := max(from, a.first); d < min(to, a.stop()); d++ {
		all.join(a.on(d))
	}
	return all
}

func (a attendance) stop() calendar.Date { return a.first.AddDays(len(a.sets)) }

// attendance is who came to the spaces on each date of their lives, up to asOf.
func (s *scope) attendance(ctx context.Context) (attendance, error) {
	if s.zone != nil {
		return s.attendanceIn(ctx, s.zone)
	}
	all, err := s.annals(ctx, false)
	if err != nil {
		return attendance{}, err
	}
	first, stop := all.span()
	a := attendance{first, make([]memberSet, stop-first)}
	for d := first; d < stop; d++ {
		all.on(d, func(_ *place, came *turnout) { came.enter(&a.sets[d-first]) })
	}
	return a, nil
}

// attendanceIn is attendance by the dates of a zone, which cut the spaces' own days: so it
// must be known when everybody came.
func (s *scope) attendanceIn(ctx context.Context, zone *calendar.Calendar) (attendance, error) {
	_, tomorrow := around(s.asOf)
	var lives []daysOf
	a := attendance{first: tomorrow}
	for _, p := range s.places {
		if p.lives && p.firstDay < tomorrow {
			lives = append(lives, daysOf{p, p.firstDay, tomorrow})
			a.first = min(a.first, p.firstDay-apart)
		}
	}
	a.sets = make([]memberSet, tomorrow+apart-a.first)
	err := s.eachArrival(ctx, lives, func(visit arrival) {
		a.sets[zone.DayAt(visit.in)-a.first].add(visit.member)
	})
	return a, err
}
