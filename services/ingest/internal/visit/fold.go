package visit

// Fold is the unit that a day's events make, which are sorted as Sort does and
// lie within the day. No events make the zero Unit. An anonymous event is a unit
// of its own (rule 8); a voided one is not among the events (rule 9).
//
// It allocates nothing but the slices of the result: most days one visit.
func Fold(day Day, events []Event) Unit {
	return FoldInto(nil, day, events)
}

// FoldInto is Fold into memory that held visits before and is used again.
func FoldInto(visits []Visit, day Day, events []Event) Unit {
	f := fold{day: day, unit: Unit{Visits: visits[:0]}}
	for i := range events {
		switch event := &events[i]; event.Kind {
		case Arrival:
			f.arrive(event)
		case Touch:
			f.touch(event)
		case Departure:
			f.depart(event)
		}
	}
	f.estimate()
	return f.unit
}

// fold is a day's events read so far. Only the last visit can still change.
type fold struct {
	day  Day
	unit Unit
	left bool // the last visit, if there is one, ended with a check-out
}

// arrive reads a check-in, by token or not.
//
// Rule 1: it touches the visit that is open, else it opens one.
// Rule 4: soon after a check-out it re-opens the visit.
// Rule 5: after an estimated end it opens a new one.
func (f *fold) arrive(event *Event) {
	f.unit.Checkins++
	switch visit := f.last(); {
	case f.open(event.Time):
		visit.Checkins++
		visit.LastTouch = event.Time
	case f.left && event.Time-visit.Out <= reentryGap:
		f.reenter(visit, event)
	default:
		f.estimate()
		f.enter(event)
	}
}

// enter opens a visit.
//
// Rules 6 and 7: how many came, and zone, method, plan and team, are what the
// event says that opens it; later ones change nothing of that.
func (f *fold) enter(event *Event) {
	f.unit.Visits = append(f.unit.Visits, Visit{
		In:        event.Time,
		Checkins:  1,
		Party:     event.Party,
		LastTouch: event.Time,
		Method:    event.Method,
		Zone:      event.Zone,
		Plan:      event.Plan,
		Team:      event.Team,
	})
	f.left = false
}

// reenter opens a visit again that somebody had checked out of.
//
// Rule 4: one arrival, one departure (the last), and the time outside is
// neither dwell nor presence.
func (f *fold) reenter(visit *Visit, event *Event) {
	if event.Time > visit.Out {
		visit.Gaps = append(visit.Gaps, Gap{From: visit.Out, To: event.Time})
	}
	visit.Checkins++
	visit.LastTouch = event.Time
	f.left = false
}

// touch reads a presence.
//
// Rule 2: it touches the visit that is open; it never opens one.
func (f *fold) touch(event *Event) {
	f.unit.Presences++
	if f.open(event.Time) {
		f.last().LastTouch = event.Time
	}
}

// depart reads a check-out.
//
// Rule 3: it closes the visit that is open, else it is an orphan.
// Rule 5: also one whose estimated end has passed, however late it comes.
func (f *fold) depart(event *Event) {
	visit := f.last()
	if visit == nil || f.left {
		f.unit.Orphans++
		return
	}
	visit.Out, visit.End = event.Time, Explicit
	f.left = true
}

// last is the day's last visit so far, nil if there is none.
func (f *fold) last() *Visit {
	if len(f.unit.Visits) == 0 {
		return nil
	}
	return &f.unit.Visits[len(f.unit.Visits)-1]
}

// open says whether the last visit is open at an instant: nobody checked out,
// and its estimated end is still to come. At the end itself it is closed.
func (f *fold) open(at int64) bool {
	visit := f.last()
	if visit == nil || f.left {
		return false
	}
	out, _ := f.estimatedEnd(visit)
	return at < out
}

// estimate gives the last visit its estimated end, if nobody checked out.
func (f *fold) estimate() {
	if visit := f.last(); visit != nil && !f.left {
		visit.Out, visit.End = f.estimatedEnd(visit)
	}
}

// estimatedEnd is when a visit ends if nobody checks out.
//
// Rule 5: the default stay after its last touch, cut at the day's end.
func (f *fold) estimatedEnd(visit *Visit) (int64, End) {
	if f.day.End-visit.LastTouch <= f.day.DefaultStay {
		return f.day.End, Cutoff
	}
	return visit.LastTouch + f.day.DefaultStay, Timeout
}
