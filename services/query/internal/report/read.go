package report

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// stretches is stretches of time in spaces, as a statement takes them.
type stretches struct {
	spaces       []int32
	starts, ends []time.Time
}

func (e *stretches) add(p *place, w window) {
	if w.empty() {
		return
	}
	e.spaces = append(e.spaces, p.id)
	e.starts, e.ends = append(e.starts, time.UnixMicro(w.start)), append(e.ends, time.UnixMicro(w.end))
}

func (e *stretches) args() pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{"spaces": e.spaces, "starts": e.starts, "ends": e.ends}
}

// ownDays is stretches of the spaces' own visit days, as a statement takes them.
type ownDays struct{ spaces, firsts, stops []int32 }

func (o *ownDays) add(p *place, first, stop calendar.Date) {
	if first >= stop {
		return
	}
	o.spaces = append(o.spaces, p.id)
	o.firsts, o.stops = append(o.firsts, int32(first)), append(o.stops, int32(stop))
}

func (o *ownDays) args() pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{"spaces": o.spaces, "firsts": o.firsts, "stops": o.stops}
}

// byDate is the same days one by one, the earliest first.
func (o *ownDays) byDate() ownDays {
	type one struct{ space, date int32 }
	var all []one
	for i, space := range o.spaces {
		for d := o.firsts[i]; d < o.stops[i]; d++ {
			all = append(all, one{space, d})
		}
	}
	slices.SortStableFunc(all, func(a, b one) int { return cmp.Compare(a.date, b.date) })
	var days ownDays
	for _, d := range all {
		days.spaces, days.firsts, days.stops = append(days.spaces, d.space), append(days.firsts, d.date), append(days.stops, d.date+1)
	}
	return days
}

// inRange is the visit days that hold any of the range.
func (s *scope) inRange() ownDays {
	var days ownDays
	for _, p := range s.places {
		first, stop := p.ownDays(s.instants(p))
		days.add(p, first, stop)
	}
	return days
}

// spaceDay is what one visit day of a space adds up to.
type spaceDay struct {
	place                                        *place
	date                                         calendar.Date // of the space's own calendar
	checkins, failed, visits, members, anonymous int64
	estimated                                    int64 // visits whose end was inferred
	dwell                                        int64 // headcount × µs
	late                                         int64 // events that came late
	slots                                        []byte
}

// spaceDays is the visit days that hold any of the range and on which anything
// happened.
func (s *scope) spaceDays(ctx context.Context) ([]spaceDay, error) {
	asked := s.rangeOf(s.places)
	recalled, err := s.recall(ctx, asked...)
	var all []spaceDay
	for i, days := range recalled {
		for _, d := range days {
			if d.version != absent {
				sums := d.sums
				sums.place = asked[i].place
				all = append(all, sums)
			}
		}
	}
	return all, err
}

// rangeOf is the visit days of spaces that hold any of the range.
func (s *scope) rangeOf(places []*place) []daysOf {
	var days []daysOf
	for _, p := range places {
		first, stop := p.ownDays(s.instants(p))
		days = append(days, daysOf{p, first, stop})
	}
	return days
}

// stay is a visit where it was.
type stay struct {
	place *place
	*visit
}

// kept is a copy that is there for longer than until the next visit.
func (v *stay) kept() stay {
	kept := *v.visit
	kept.away = slices.Clone(v.away)
	return stay{v.place, &kept}
}

// visit is one as it is stored: with its final end, measured or estimated, whether or
// not that has come by asOf.
type visit struct {
	day       calendar.Date // of the space's own calendar
	member    int32         // 0: anonymous
	in, out   int64
	explicit  bool
	cutoff    bool // it was cut at the day's end
	party     int64
	away      []int64 // out, in, out, in …: between a check-out and a re-entry
	touches   int64   // its check-ins
	lastTouch int64

	// Words of the dictionary; 0: not said.
	method, zone int32
	plan, team   int32 // where the visit names none, the member's at that time, if the scope wants plans
}

// said is what a visit says of a field that rows can be grouped by.
func (v *visit) said(field string) int32 {
	switch field {
	case "plan":
		return v.plan
	case "team":
		return v.team
	case "zone":
		return v.zone
	default:
		return v.method
	}
}

// stays reads the visits of some visit days that count, and keeps them all: that is for few
// days.
func (s *scope) stays(ctx context.Context, days ownDays) ([]stay, error) {
	var all []stay
	for v, err := range s.walk(ctx, days) {
		if err != nil {
			return nil, err
		}
		all = append(all, v.kept())
	}
	return all, nil
}

// walk reads the visits of some visit days that count, in the order of the days, few at a
// time. Each is there until the next one. After an error there are no more.
func (s *scope) walk(ctx context.Context, days ownDays) iter.Seq2[*stay, error] {
	return func(yield func(*stay, error) bool) {
		more := true
		err := s.eachStay(ctx, days, func(v *stay) bool {
			more = !s.filter.passes(v) || yield(v, nil)
			return more
		})
		if err != nil && more {
			yield(nil, err)
		}
	}
}

// eachStay calls yield with the visits of some visit days, also with those that do not
// count, for as long as it is true.
func (s *scope) eachStay(ctx context.Context, days ownDays, yield func(*stay) bool) error {
	var plans timelines
	if s.plans {
		var err error
		if plans, err = s.timelines(ctx); err != nil {
			return err
		}
	}
	asked := make([]daysOf, len(days.spaces))
	for i, space := range days.spaces {
		asked[i] = daysOf{s.place(space), calendar.Date(days.firsts[i]), calendar.Date(days.stops[i])}
	}
	var filled visit
	for p, err := range s.portions(ctx, asked, ofStays) {
		if err != nil {
			return err
		}
		for at, d := range p.days() {
			for v := range d.staysAt(at.place, at.day) {
				if plans != nil {
					filled = plans.fill(v.visit)
					v.visit = &filled
				}
				if !yield(v) {
					return nil
				}
			}
		}
	}
	return nil
}

// openStays reads the visits of the range that end after asOf. They are all in
// the visit day that holds asOf, or in a later one that a fast clock reached into.
func (s *scope) openStays(ctx context.Context) ([]stay, error) {
	var days ownDays
	for _, p := range s.places {
		first, stop := p.ownDays(s.instants(p))
		days.add(p, max(first, p.calendar.DayAt(s.asOf)), stop)
	}
	if len(days.spaces) == 0 {
		return nil, nil
	}
	read, err := s.stays(ctx, days)
	var open []stay
	for _, v := range read {
		if v.out > s.asOf {
			open = append(open, v)
		}
	}
	return open, err
}

// present calls yield with each stretch of a window in which the visitors were
// inside.
func (v *visit) present(w window, yield func(window)) {
	start := v.in
	for i := 0; i+1 < len(v.away); i += 2 {
		if inside := (window{start, v.away[i]}).cut(w); !inside.empty() {
			yield(inside)
		}
		start = v.away[i+1]
	}
	if inside := (window{start, v.out}).cut(w); !inside.empty() {
		yield(inside)
	}
}

// spent is how long each of the visitors was inside during a window, in µs.
func (v *visit) spent(w window) int64 {
	var inside int64
	v.present(w, func(w window) { inside += w.length() })
	return inside
}

// dwell is headcount × µs inside during a window.
func (v *visit) dwell(w window) int64 { return v.spent(w) * v.party }

// edge is what events of a stretch of time add up to.
type edge struct{ checkins, failed, late int64 }

// edges counts the events of stretches that rollups do not hold by themselves.
func (s *scope) edges(ctx context.Context, asked stretches) ([]edge, error) {
	counted := make([]edge, len(asked.spaces))
	if len(counted) == 0 {
		return nil, nil
	}
	rows, err := s.db.Query(ctx, edgesSQL, asked.args())
	if err != nil {
		return nil, pg.Classify(err)
	}
	var n int
	var e edge
	_, err = pgx.ForEachRow(rows, []any{&n, &e.checkins, &e.failed, &e.late}, func() error {
		counted[n] = e
		return nil
	})
	return counted, pg.Classify(err)
}

// memberWindow is a window that members are looked for in, and the row that counts
// them.
type memberWindow struct {
	window
	row   int32
	place *place
	day   *dayMemory // the visit day that the window is, if it is one; nil: visits are looked at
}

// windows is windows that members are looked for in.
type windows []memberWindow

func (w *windows) add(row int, p *place, at window) {
	if !at.empty() {
		*w = append(*w, memberWindow{window: at, row: int32(row), place: p})
	}
}

// byRow is the windows row by row, those of a row in the order that they were in.
func (w windows) byRow() windows {
	var last int32
	for i := range w {
		last = max(last, w[i].row)
	}
	begins := make([]int, last+2) // of each row; and of the next, while it is counted
	for i := range w {
		begins[w[i].row+1]++
	}
	for row := range last {
		begins[row+1] += begins[row]
	}
	sorted := make(windows, len(w))
	for _, one := range w {
		sorted[begins[one.row]] = one
		begins[one.row]++
	}
	return sorted
}

// distinct is how many different members had a visit that began in each row's windows,
// and in any of them.
func (s *scope) distinct(ctx context.Context, asked windows, rows int) (ofRow []int64, ofAll int64, err error) {
	ofRow = make([]int64, rows)
	var all memberSet
	err = s.gather(ctx, asked, func(row int, came *memberSet) {
		ofRow[row] = int64(came.size())
		all.join(*came)
	})
	return ofRow, int64(all.size()), err
}

// whole says whether a window is a day of the space's own.
func (w memberWindow) whole() (d calendar.Date, is bool) {
	first, stop := w.place.ownDays(w.window)
	start, end := w.place.calendar.Span(first)
	return first, stop == first+1 && w.window == window{start, end}
}

// gather calls yield with each row, in order, and with who had a visit that began in its
// windows. The set is there until the next one.
func (s *scope) gather(ctx context.Context, asked windows, yield func(row int, came *memberSet)) error {
	if err := s.recallDays(ctx, asked); err != nil {
		return err
	}
	asked = asked.byRow()
	sets := make([]memberSet, s.reader.few.rows)
	for len(asked) > 0 {
		first, n := asked[0].row, 0
		for n < len(asked) && asked[n].row < first+int32(len(sets)) {
			n++
		}
		if err := s.enter(ctx, asked[:n], first, sets); err != nil {
			return err
		}
		for row := first; row <= asked[n-1].row; row++ {
			yield(int(row), &sets[row-first])
			sets[row-first].clear()
		}
		asked = asked[n:]
	}
	return nil
}

// recallDays finds who had a visit on the windows that are days of the spaces' own. Where
// only some visits count that is of no help.
func (s *scope) recallDays(ctx context.Context, asked windows) error {
	if s.filtered() {
		return nil
	}
	var wholes []daysOf
	var of []*memberWindow // one for each of the days
	for i := range asked {
		d, whole := asked[i].whole()
		if !whole {
			continue
		}
		of = append(of, &asked[i])
		if last := len(wholes) - 1; last >= 0 && wholes[last].place == asked[i].place && wholes[last].stop == d {
			wholes[last].stop++
		} else {
			wholes = append(wholes, daysOf{asked[i].place, d, d + 1})
		}
	}
	recalled, err := s.recallMembers(ctx, wholes...)
	if err != nil {
		return err
	}
	for i, day := range slices.Concat(recalled...) {
		of[i].day = day
	}
	return nil
}

// enter enters who had a visit that began in the windows of some rows into the rows' sets.
func (s *scope) enter(ctx context.Context, asked windows, firstRow int32, sets []memberSet) error {
	var days ownDays
	cut := map[spaceDate][]memberWindow{} // that hold a part of the day, or of which some visits count
	for _, w := range asked {
		if w.day != nil {
			w.day.turnout.enter(&sets[w.row-firstRow])
			continue
		}
		first, stop := w.place.ownDays(w.window)
		for d := first; d < stop; d++ {
			k := spaceDate{w.place.id, d}
			if cut[k] == nil {
				days.add(w.place, d, d+1)
			}
			cut[k] = append(cut[k], w)
		}
	}
	for v, err := range s.walk(ctx, days) {
		if err != nil {
			return err
		}
		for _, w := range cut[spaceDate{v.place.id, v.day}] {
			if v.member != 0 && w.holds(v.in) {
				sets[w.row-firstRow].add(v.member)
			}
		}
	}
	return nil
}

// member is what is known of a person.
type member struct {
	number     int32
	name       string // the member's id, as sources say it
	fullName   *string
	joined     *int64 // µs since 1970
	active     *bool  // nil: nobody said
	plan, team int32  // words of the dictionary; 0: nobody said
}

// memberRoom is how many bytes one takes.
const memberRoom = 150

// everybody is what is known of all members, by number. The map is not to be changed. It is
// remembered as of one version of what is said of members, as long as no more have come.
func (s *scope) everybody(ctx context.Context) (map[int32]member, error) {
	rows, err := s.db.Query(ctx, membersCountedSQL)
	if err != nil {
		return nil, pg.Classify(err)
	}
	now, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, pg.Classify(err)
	}
	return once(s.reader.memory.results, on("everybody", s.memberVersion, now), func() (map[int32]member, int, error) {
		known, err := s.members(ctx, nil)
		return known, memberRoom * len(known), err
	})
}

// members reads what is known of some members, by number; of all if numbers is nil.
func (s *scope) members(ctx context.Context, numbers []int32) (map[int32]member, error) {
	rows, err := s.db.Query(ctx, membersSQL, pgx.StrictNamedArgs{"ids": numbers})
	if err != nil {
		return nil, pg.Classify(err)
	}
	known := map[int32]member{}
	var m member
	var joined *time.Time
	var plan, team *int32
	_, err = pgx.ForEachRow(rows, []any{&m.number, &m.name, &m.fullName, &joined, &m.active, &plan, &team}, func() error {
		m.joined, m.plan, m.team = nil, 0, 0
		if joined != nil {
			at := joined.UnixMicro()
			m.joined = &at
		}
		if plan != nil {
			m.plan = *plan
		}
		if team != nil {
			m.team = *team
		}
		known[m.number] = m
		return nil
	})
	return known, pg.Classify(err)
}
