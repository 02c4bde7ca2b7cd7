package report

import (
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
	walked, err := s.walk(ctx, days)
	if err != nil {
		return nil, err
	}
	var all []stay
	for v := range walked {
		all = append(all, v.kept())
	}
	return all, nil
}

// walk reads the visits of some visit days that count, in order of space and day. Each is
// there until the next one.
func (s *scope) walk(ctx context.Context, days ownDays) (iter.Seq[*stay], error) {
	all, err := s.walkAll(ctx, days)
	if err != nil || !s.filtered() {
		return all, err
	}
	return func(yield func(*stay) bool) {
		for v := range all {
			if s.filter.passes(v) && !yield(v) {
				return
			}
		}
	}, nil
}

// walkAll is walk with the visits that do not count, too.
func (s *scope) walkAll(ctx context.Context, days ownDays) (iter.Seq[*stay], error) {
	var plans *timelines
	if s.plans {
		var err error
		if plans, err = s.timelines(ctx); err != nil {
			return nil, err
		}
	}
	asked := make([]daysOf, len(days.spaces))
	for i, space := range days.spaces {
		asked[i] = daysOf{s.place(space), calendar.Date(days.firsts[i]), calendar.Date(days.stops[i])}
	}
	recalled, err := s.recallStays(ctx, asked...)
	if err != nil {
		return nil, err
	}
	return func(yield func(*stay) bool) {
		var filled visit
		for i, a := range asked {
			for j, d := range recalled[i] {
				for v := range d.staysAt(a.place, a.first.AddDays(j)) {
					if plans != nil {
						filled = plans.fill(v.visit)
						v.visit = &filled
					}
					if !yield(v) {
						return
					}
				}
			}
		}
	}, nil
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

// presence is one member seen in one window.
type presence struct{ row, member int32 }

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

// membersIn reads who had a visit that began in each row's windows, once a row,
// row by row.
func (s *scope) membersIn(ctx context.Context, asked windows) ([]presence, error) {
	gathered, err := s.gather(ctx, asked)
	if err != nil {
		return nil, err
	}
	asked = asked.byRow()
	var found []presence
	var seen memberSet
	begin := 0 // of what was found for the row
	for i, w := range asked {
		if i > 0 && asked[i-1].row != w.row {
			for _, p := range found[begin:] {
				seen.remove(p.member)
			}
			begin = len(found)
		}
		gathered.each(w, func(member int32) {
			if seen.add(member) {
				found = append(found, presence{w.row, member})
			}
		})
	}
	return found, nil
}

// distinct is how many different members had a visit that began in each row's windows,
// and in any of them.
func (s *scope) distinct(ctx context.Context, asked windows, rows int) (ofRow []int64, ofAll int64, err error) {
	gathered, err := s.gather(ctx, asked)
	if err != nil {
		return nil, 0, err
	}
	asked = asked.byRow()
	ofRow = make([]int64, rows)
	var row, all memberSet
	for i, w := range asked {
		gathered.join(&row, w)
		if i+1 == len(asked) || asked[i+1].row != w.row {
			ofRow[w.row] = int64(row.size)
			all.join(row)
			row.clear()
		}
	}
	return ofRow, int64(all.size), nil
}

// gathering is the visits of the days that windows cut, or of which only some visits
// count. Those of whole days are in the windows.
type gathering map[*place]map[calendar.Date][]stay

// whole says whether a window is a day of the space's own.
func (w memberWindow) whole() (d calendar.Date, is bool) {
	first, stop := w.place.ownDays(w.window)
	start, end := w.place.calendar.Span(first)
	return first, stop == first+1 && w.window == window{start, end}
}

// gather reads who came, each day once.
func (s *scope) gather(ctx context.Context, asked windows) (gathering, error) {
	g := gathering{}
	var wholes []daysOf
	var days []*memberWindow // one for each of them
	var cuts ownDays
	cut := map[spaceDate]bool{}
	for i := range asked {
		w := &asked[i]
		if d, whole := w.whole(); whole && !s.filtered() {
			days = append(days, w)
			if last := len(wholes) - 1; last >= 0 && wholes[last].place == w.place && wholes[last].stop == d {
				wholes[last].stop++
			} else {
				wholes = append(wholes, daysOf{w.place, d, d + 1})
			}
			continue
		}
		first, stop := w.place.ownDays(w.window)
		for d := first; d < stop; d++ {
			if !cut[spaceDate{w.place.id, d}] {
				cut[spaceDate{w.place.id, d}] = true
				cuts.add(w.place, d, d+1)
			}
		}
	}
	recalled, err := s.recallMembers(ctx, wholes...)
	if err != nil {
		return g, err
	}
	for i, day := range slices.Concat(recalled...) {
		days[i].day = day
	}
	stays, err := s.stays(ctx, cuts)
	for _, v := range stays {
		if g[v.place] == nil {
			g[v.place] = map[calendar.Date][]stay{}
		}
		g[v.place][v.day] = append(g[v.place][v.day], v)
	}
	return g, err
}

// each calls yield with each member of a visit that began in a window.
func (g gathering) each(w memberWindow, yield func(member int32)) {
	if w.day != nil {
		w.day.turnout.each(yield)
		return
	}
	first, stop := w.place.ownDays(w.window)
	for d := first; d < stop; d++ {
		for i := range g[w.place][d] {
			if v := &g[w.place][d][i]; v.member != 0 && w.holds(v.in) {
				yield(v.member)
			}
		}
	}
}

// join adds the members of the visits that began in a window to a set.
func (g gathering) join(set *memberSet, w memberWindow) {
	if w.day != nil {
		w.day.turnout.enter(set)
		return
	}
	g.each(w, func(member int32) { set.add(member) })
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

// people is everybody, as of one version of what is said of members, and as long as no
// more have come.
type people struct {
	version int64
	known   map[int32]member
}

// mostPeople is how many are remembered, of some 150 bytes each.
const mostPeople = 50_000

// everybody is what is known of all members, by number. The map is not to be changed.
func (s *scope) everybody(ctx context.Context) (map[int32]member, error) {
	rows, err := s.db.Query(ctx, membersCountedSQL)
	if err != nil {
		return nil, pg.Classify(err)
	}
	now, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int])
	if err != nil {
		return nil, pg.Classify(err)
	}
	r := s.reader
	r.mu.Lock()
	before := r.people
	r.mu.Unlock()
	if before.known != nil && before.version == s.memberVersion && len(before.known) == now {
		return before.known, nil
	}
	read := people{version: s.memberVersion}
	if read.known, err = s.members(ctx, nil); err != nil || now > mostPeople {
		return read.known, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.people.version <= read.version {
		r.people = read
	}
	return read.known, nil
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
