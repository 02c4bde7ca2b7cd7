package report

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// memory is what was read of visit days: what a process that starts anew has lost,
// and reads again. A day is checked by its version, and that only once its space's
// version has moved, so that most questions read nothing but the versions.
//
// What is remembered never changes: a day that was written since is remembered anew.
type memory struct {
	mu       sync.Mutex
	days     map[spaceDate]*dayMemory
	births   map[int32]birth
	room     int   // the most visits to remember
	stays    int   // how many there are
	arrivals int   // likewise, of which only who and when is remembered
	clock    int64 // counts uses
}

// mostStays is how many visits are remembered, of some 130 bytes each. The days
// that were not asked for longest are forgotten first; their sums and members are
// not: those are small.
const mostStays = 250_000

// mostArrivals is how many visits are remembered of which only who came and when is
// known, of 16 bytes each. Past that all are forgotten: questions on all of history
// are then answered from the database.
const mostArrivals = 5_000_000

type spaceDate struct {
	space int32
	date  calendar.Date
}

// dayMemory is one visit day of a space, as of one version of it.
type dayMemory struct {
	confirmed int64 // the latest version of the space at which this was seen to hold
	version   int64 // its own; absent if it has no row
	sums      spaceDay
	members   []int32 // with a visit, in order; nil: not read
	stays     []stay  // nil: not read
	arrivals  []came  // of members, in order of time; nil: not read
	used      int64
}

// came is when a visit of a member began.
type came struct {
	in     int64 // µs since 1970
	member int32
}

const absent = -1

// birth is when a space's first event happened: found once for its first day, as of
// one version of that.
type birth struct {
	date    calendar.Date
	version int64
	at      int64 // µs since 1970
}

func newMemory() *memory {
	return &memory{room: mostStays, days: map[spaceDate]*dayMemory{}, births: map[int32]birth{}}
}

// offline is a database that cannot be asked: what answers from memory alone finds
// out that it cannot.
type offline struct{}

var errOffline = errors.New("this is not in memory")

// Query refuses.
func (offline) Query(context.Context, string, ...any) (pgx.Rows, error) { return nil, errOffline }

// recall is visit days of a space as they are at its version: from memory, or read
// and remembered.
func (s *scope) recall(ctx context.Context, p *place, first, stop calendar.Date) ([]*dayMemory, error) {
	m := s.reader.memory
	days := make([]*dayMemory, stop-first)
	from, to := stop, first // of what must be looked at
	m.mu.Lock()
	m.clock++
	for d := first; d < stop; d++ {
		if known := m.days[spaceDate{p.id, d}]; known != nil && known.confirmed == p.version {
			known.used = m.clock
			days[d-first] = known
			continue
		}
		from, to = min(from, d), max(to, d+1)
	}
	m.mu.Unlock()
	if from >= to {
		return days, nil
	}
	read, err := s.readDays(ctx, p, from, to)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for d := from; d < to; d++ {
		fresh := read[d]
		if fresh == nil {
			fresh = &dayMemory{version: absent, sums: spaceDay{date: d}, members: []int32{}, stays: []stay{}, arrivals: []came{}}
		}
		known := m.days[spaceDate{p.id, d}]
		if known != nil && known.version == fresh.version {
			again := *known
			fresh = &again
		}
		fresh.confirmed, fresh.used = p.version, m.clock
		days[d-first] = fresh
		m.keep(spaceDate{p.id, d}, fresh)
	}
	return days, nil
}

// keep remembers a day, unless somebody has seen a later state of it meanwhile.
func (m *memory) keep(k spaceDate, fresh *dayMemory) {
	known := m.days[k]
	if known != nil && known.confirmed > fresh.confirmed {
		return
	}
	if known != nil {
		m.stays -= len(known.stays)
		m.arrivals -= len(known.arrivals)
	}
	m.stays += len(fresh.stays)
	m.arrivals += len(fresh.arrivals)
	m.days[k] = fresh
	if m.stays > m.room {
		m.forget()
	}
	if m.arrivals > mostArrivals {
		m.forgetArrivals()
	}
}

// forgetArrivals drops who came when.
func (m *memory) forgetArrivals() {
	for k, d := range m.days {
		if len(d.arrivals) > 0 {
			without := *d
			without.arrivals = nil
			m.days[k] = &without
		}
	}
	m.arrivals = 0
}

// forget drops the visits of the days that were not asked for longest, until a
// quarter of the room is free.
func (m *memory) forget() {
	var keys []spaceDate
	for k, d := range m.days {
		if len(d.stays) > 0 {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b spaceDate) int { return int(m.days[a].used - m.days[b].used) })
	for _, k := range keys {
		if m.stays <= m.room*3/4 {
			return
		}
		without := *m.days[k]
		m.stays -= len(without.stays)
		without.stays = nil
		m.days[k] = &without
	}
}

// readDays reads the sums of a stretch of days. A day without a row is not among them.
func (s *scope) readDays(ctx context.Context, p *place, first, stop calendar.Date) (map[calendar.Date]*dayMemory, error) {
	rows, err := s.db.Query(ctx, spaceDaysSQL, pgx.StrictNamedArgs{"space": p.id, "first": int32(first), "stop": int32(stop)})
	if err != nil {
		return nil, pg.Classify(err)
	}
	read := map[calendar.Date]*dayMemory{}
	var date int32
	var d dayMemory
	sums := &d.sums
	_, err = pgx.ForEachRow(rows, []any{
		&date, &d.version, &sums.checkins, &sums.failed, &sums.visits, &sums.members, &sums.anonymous, &sums.estimated,
		&sums.dwell, &sums.late, &sums.slots,
	}, func() error {
		day := d
		day.sums.date = calendar.Date(date)
		day.sums.slots = slices.Clone(sums.slots)
		if day.sums.visits == 0 {
			day.members, day.stays, day.arrivals = []int32{}, []stay{}, []came{}
		}
		read[day.sums.date] = &day
		return nil
	})
	return read, pg.Classify(err)
}

// recallMembers is recall with who had a visit on each of the days.
func (s *scope) recallMembers(ctx context.Context, p *place, first, stop calendar.Date) ([]*dayMemory, error) {
	return s.recallWhole(ctx, p, first, stop, func(d *dayMemory) bool { return d.members != nil }, s.readMembers)
}

// recallStays is recall with the visits of each of the days.
func (s *scope) recallStays(ctx context.Context, p *place, first, stop calendar.Date) ([]*dayMemory, error) {
	return s.recallWhole(ctx, p, first, stop, func(d *dayMemory) bool { return d.stays != nil }, s.readStays)
}

// recallArrivals is recall with when each visit of a member began on each of the days.
func (s *scope) recallArrivals(ctx context.Context, p *place, first, stop calendar.Date) ([]*dayMemory, error) {
	return s.recallWhole(ctx, p, first, stop, func(d *dayMemory) bool { return d.arrivals != nil }, s.readArrivals)
}

// recallWhole reads a part of days that is read only where it is needed.
func (s *scope) recallWhole(
	ctx context.Context, p *place, first, stop calendar.Date, has func(*dayMemory) bool,
	read func(ctx context.Context, p *place, missing map[calendar.Date]*dayMemory) error,
) ([]*dayMemory, error) {
	days, err := s.recall(ctx, p, first, stop)
	if err != nil {
		return nil, err
	}
	missing := map[calendar.Date]*dayMemory{}
	for i, d := range days {
		if !has(d) {
			whole := *d
			days[i] = &whole
			missing[first+calendar.Date(i)] = days[i]
		}
	}
	if len(missing) == 0 {
		return days, nil
	}
	if err := read(ctx, p, missing); err != nil {
		return nil, err
	}
	m := s.reader.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	for date, d := range missing {
		m.keep(spaceDate{p.id, date}, d)
	}
	return days, nil
}

// datesOf is the dates of days, as a statement takes them.
func datesOf(days map[calendar.Date]*dayMemory) []int32 {
	dates := make([]int32, 0, len(days))
	for d := range days {
		dates = append(dates, int32(d))
	}
	slices.Sort(dates)
	return dates
}

func (s *scope) readMembers(ctx context.Context, p *place, missing map[calendar.Date]*dayMemory) error {
	rows, err := s.db.Query(ctx, dayMembersSQL, pgx.StrictNamedArgs{"space": p.id, "days": datesOf(missing)})
	if err != nil {
		return pg.Classify(err)
	}
	for _, d := range missing {
		d.members = make([]int32, 0, d.sums.members)
	}
	var date, member int32
	_, err = pgx.ForEachRow(rows, []any{&date, &member}, func() error {
		d := missing[calendar.Date(date)]
		d.members = append(d.members, member)
		return nil
	})
	return pg.Classify(err)
}

func (s *scope) readArrivals(ctx context.Context, p *place, missing map[calendar.Date]*dayMemory) error {
	dates := datesOf(missing)
	rows, err := s.db.Query(ctx, arrivalsSQL, pgx.StrictNamedArgs{
		"space": p.id, "first": dates[0], "stop": dates[len(dates)-1] + 1,
	})
	if err != nil {
		return pg.Classify(err)
	}
	for _, d := range missing {
		d.arrivals = make([]came, 0, d.sums.visits)
	}
	var date int32
	var at time.Time
	var c came
	_, err = pgx.ForEachRow(rows, []any{&date, &c.member, &at}, func() error {
		if d := missing[calendar.Date(date)]; d != nil {
			c.in = at.UnixMicro()
			d.arrivals = append(d.arrivals, c)
		}
		return nil
	})
	for _, d := range missing {
		slices.SortFunc(d.arrivals, func(a, b came) int { return cmp.Or(cmp.Compare(a.in, b.in), cmp.Compare(a.member, b.member)) })
	}
	return pg.Classify(err)
}

func (s *scope) readStays(ctx context.Context, p *place, missing map[calendar.Date]*dayMemory) error {
	rows, err := s.db.Query(ctx, staysSQL, pgx.StrictNamedArgs{"space": p.id, "days": datesOf(missing)})
	if err != nil {
		return pg.Classify(err)
	}
	for _, d := range missing {
		d.stays = make([]stay, 0, d.sums.visits)
	}
	var (
		date          int32
		v             stay
		in, out, last time.Time
		away          []time.Time
	)
	_, err = pgx.ForEachRow(rows, []any{
		&date, &v.member, &in, &out, &v.explicit, &v.cutoff, &v.party, &away, &v.touches, &last, &v.method, &v.zone, &v.plan, &v.team,
	}, func() error {
		v.day = calendar.Date(date)
		v.in, v.out, v.lastTouch, v.away = in.UnixMicro(), out.UnixMicro(), last.UnixMicro(), nil
		for _, at := range away {
			v.away = append(v.away, at.UnixMicro())
		}
		d := missing[v.day]
		d.stays = append(d.stays, v)
		return nil
	})
	return pg.Classify(err)
}

// bornAt is when the first event of a space's first day happened. A day whose events
// are gone tells nothing: then it is the day's begin.
func (s *scope) bornAt(ctx context.Context, p *place) (int64, error) {
	days, err := s.recall(ctx, p, p.firstDay, p.firstDay+1)
	if err != nil {
		return 0, err
	}
	m, version := s.reader.memory, days[0].version
	m.mu.Lock()
	known, ok := m.births[p.id]
	m.mu.Unlock()
	if ok && known.date == p.firstDay && known.version == version {
		return known.at, nil
	}
	start, end := p.calendar.Span(p.firstDay)
	rows, err := s.db.Query(ctx, firstEventSQL, pgx.StrictNamedArgs{
		"space": p.id, "start": time.UnixMicro(start), "stop": time.UnixMicro(end),
	})
	if err != nil {
		return 0, pg.Classify(err)
	}
	first, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[*time.Time])
	if err != nil {
		return 0, pg.Classify(err)
	}
	born := birth{p.firstDay, version, start}
	if first != nil {
		born.at = first.UnixMicro()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.births[p.id] = born
	return born.at, nil
}
