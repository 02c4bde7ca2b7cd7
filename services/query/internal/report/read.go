package report

import (
	"context"
	"fmt"
	"maps"
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
	slots                                        []byte
}

// spaceDays reads the visit days that hold any of the range.
func (s *scope) spaceDays(ctx context.Context, slots bool) ([]spaceDay, error) {
	days := s.inRange()
	args := days.args()
	args["slots"] = slots
	rows, err := s.db.Query(ctx, spaceDaysSQL, args)
	if err != nil {
		return nil, pg.Classify(err)
	}
	read, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (spaceDay, error) {
		var d spaceDay
		var space, date int32
		err := row.Scan(&space, &date, &d.checkins, &d.failed, &d.visits, &d.members, &d.anonymous, &d.estimated, &d.dwell, &d.slots)
		d.place, d.date = s.place(space), calendar.Date(date)
		return d, err
	})
	return read, pg.Classify(err)
}

// stay is a visit as it is stored: with its final end, measured or estimated,
// whether or not that has come by asOf.
type stay struct {
	place     *place
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
func (v *stay) said(field string) int32 {
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

// stays reads the visits of some visit days that count.
func (s *scope) stays(ctx context.Context, days ownDays) ([]stay, error) {
	all, err := s.everyStay(ctx, days)
	if err != nil || !s.filtered() {
		return all, err
	}
	var counting []stay
	for i := range all {
		if s.filter.passes(&all[i]) {
			counting = append(counting, all[i])
		}
	}
	return counting, nil
}

// everyStay reads visits, once for all groups of an answer.
func (s *scope) everyStay(ctx context.Context, days ownDays) ([]stay, error) {
	known := fmt.Sprint(days, s.plans)
	if read, ok := s.read[known]; ok {
		return read, nil
	}
	args := days.args()
	args["plans"] = s.plans
	rows, err := s.db.Query(ctx, staysSQL, args)
	if err != nil {
		return nil, pg.Classify(err)
	}
	read, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (stay, error) {
		var v stay
		var space, day int32
		var in, out, last time.Time
		var away []time.Time
		err := row.Scan(&space, &day, &v.member, &in, &out, &v.explicit, &v.cutoff, &v.party, &away,
			&v.touches, &last, &v.method, &v.zone, &v.plan, &v.team)
		v.place, v.day = s.place(space), calendar.Date(day)
		v.in, v.out, v.lastTouch = in.UnixMicro(), out.UnixMicro(), last.UnixMicro()
		for _, at := range away {
			v.away = append(v.away, at.UnixMicro())
		}
		return v, err
	})
	if s.by != "" && err == nil {
		s.read[known] = read
	}
	return read, pg.Classify(err)
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
func (v *stay) present(w window, yield func(window)) {
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

// dwell is headcount × µs inside during a window.
func (v *stay) dwell(w window) int64 {
	var inside int64
	v.present(w, func(w window) { inside += w.length() })
	return inside * v.party
}

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

// windows is windows that members are looked for in, each with its row.
type windows struct {
	rows  []int32
	days  ownDays
	times stretches
}

func (w *windows) add(row int, p *place, at window) {
	if at.empty() {
		return
	}
	first, stop := p.ownDays(at)
	w.rows = append(w.rows, int32(row))
	w.days.add(p, first, stop)
	w.times.add(p, at)
}

// membersIn reads who had a visit that began in each row's windows, once a row.
func (s *scope) membersIn(ctx context.Context, w windows) ([]presence, error) {
	if s.filtered() {
		return s.membersOfStays(ctx, w)
	}
	rows, err := s.db.Query(ctx, membersInSQL, pgx.StrictNamedArgs{
		"rows": w.rows, "spaces": w.days.spaces, "firsts": w.days.firsts, "stops": w.days.stops,
		"starts": w.times.starts, "ends": w.times.ends,
	})
	if err != nil {
		return nil, pg.Classify(err)
	}
	read, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (presence, error) {
		var p presence
		return p, row.Scan(&p.row, &p.member)
	})
	return read, pg.Classify(err)
}

// membersOfStays is membersIn where only some visits count.
func (s *scope) membersOfStays(ctx context.Context, w windows) ([]presence, error) {
	var days ownDays
	of := map[int32][]int{} // windows by space, in order of time
	for i, space := range w.days.spaces {
		of[space] = append(of[space], i)
	}
	for _, p := range s.places {
		windows := of[p.id]
		if len(windows) == 0 {
			continue
		}
		slices.SortFunc(windows, func(a, b int) int { return w.times.starts[a].Compare(w.times.starts[b]) })
		first, stop := w.days.firsts[windows[0]], w.days.stops[windows[0]]
		for _, i := range windows {
			first, stop = min(first, w.days.firsts[i]), max(stop, w.days.stops[i])
		}
		days.add(p, calendar.Date(first), calendar.Date(stop))
	}
	stays, err := s.stays(ctx, days)
	seen := map[presence]bool{}
	for i := range stays {
		v := &stays[i]
		if v.member == 0 {
			continue
		}
		windows, in := of[v.place.id], time.UnixMicro(v.in)
		n, _ := slices.BinarySearchFunc(windows, in, func(i int, in time.Time) int {
			return w.times.ends[i].Compare(in.Add(time.Microsecond))
		})
		if n < len(windows) && !w.times.starts[windows[n]].After(in) {
			seen[presence{w.rows[windows[n]], v.member}] = true
		}
	}
	return slices.Collect(maps.Keys(seen)), err
}

// arrival is when a visit of a member began.
type arrival struct {
	member int32
	space  int32
	day    calendar.Date // of the space's own calendar
	in     int64
}

// history reads when each visit of every member began, up to asOf, a member's in
// order of time: of the spaces that are asked for, or of all that the asker may
// see. Which visits count is not narrowed down: the first visit is the first.
func (s *scope) history(ctx context.Context, anywhere bool) ([]arrival, error) {
	var spaces []int32
	if !anywhere {
		spaces = append([]int32{}, s.ids()...)
	}
	rows, err := s.db.Query(ctx, historySQL, pgx.StrictNamedArgs{
		"spaces": spaces, "visible": s.question.Visible,
		"before": time.UnixMicro(s.asOf + 1), "stop": calendar.DateOf(time.UnixMicro(s.asOf).UTC()) + 2,
	})
	if err != nil {
		return nil, pg.Classify(err)
	}
	read, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (arrival, error) {
		var a arrival
		var day int32
		var in time.Time
		err := row.Scan(&a.member, &a.space, &day, &in)
		a.day, a.in = calendar.Date(day), in.UnixMicro()
		return a, err
	})
	return read, pg.Classify(err)
}

// date is the date of the answer that holds a visit's begin: of the zone that was
// asked for, or of the space's own.
func (s *scope) date(a arrival) calendar.Date {
	if s.zone != nil {
		return s.zone.DayAt(a.in)
	}
	return a.day
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

// members reads what is known of some members, by number; of all if none is named.
func (s *scope) members(ctx context.Context, numbers ...int32) (map[int32]member, error) {
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
