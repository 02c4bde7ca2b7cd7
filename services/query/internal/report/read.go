package report

import (
	"context"
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
	place    *place
	day      calendar.Date // of the space's own calendar
	member   int32         // 0: anonymous
	in, out  int64
	explicit bool
	party    int64
	away     []int64 // out, in, out, in …: between a check-out and a re-entry
}

// stays reads the visits of some visit days.
func (s *scope) stays(ctx context.Context, days ownDays) ([]stay, error) {
	rows, err := s.db.Query(ctx, staysSQL, days.args())
	if err != nil {
		return nil, pg.Classify(err)
	}
	read, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (stay, error) {
		var v stay
		var space, day int32
		var in, out time.Time
		var away []time.Time
		err := row.Scan(&space, &day, &v.member, &in, &out, &v.explicit, &v.party, &away)
		v.place, v.day = s.place(space), calendar.Date(day)
		v.in, v.out = in.UnixMicro(), out.UnixMicro()
		for _, at := range away {
			v.away = append(v.away, at.UnixMicro())
		}
		return v, err
	})
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
	open := read[:0]
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
