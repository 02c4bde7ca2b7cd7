package report

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/pg"
	"coworking/services/query/internal/remember"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// memory is what was read of visit days: what a process that starts anew has lost,
// and reads again. A day is checked by its version, and that only once its space's
// version has moved, so that most questions read nothing but the versions.
//
// What is remembered never changes: a day that was written since is remembered anew.
type memory struct {
	budget *remember.Budget
	mu     sync.Mutex
	days   dayTable
	births map[int32]birth

	tokens  *remember.Map[tokenDate, *tokenDay]
	results *results
}

type spaceDate struct {
	space int32
	date  calendar.Date
}

// dayMemory is one visit day of a space, as of one version of it.
type dayMemory struct {
	confirmed int64 // the latest version of the space at which this was seen to hold
	version   int64 // its own; absent if it has no row
	sums      spaceDay
	turnout   *turnout      // who had a visit; nil: not read
	stays     *packedVisits // nil: not read
	arrivals  []came        // of members, in order of time; nil: not read

	uses *uses // alone of it this changes
}

// uses is when a day was asked for last, and each of its parts.
type uses struct {
	day int64
	of  [kinds]int64
}

// came is when a visit of a member began.
type came struct {
	in     int64 // µs since 1970
	member int32
}

// cameRoom is how many bytes one takes.
const cameRoom = 16

const absent = -1

// birth is when a space's first event happened: found once for its first day, as of
// one version of that, and as the settings lay it.
type birth struct {
	date     calendar.Date
	version  int64
	settings int64
	at       int64 // µs since 1970
}

func newMemory(budget *remember.Budget) *memory {
	m := &memory{
		budget: budget, days: dayTable{}, births: map[int32]birth{},
		tokens: remember.NewMap[tokenDate, *tokenDay](budget), results: newResults(budget),
	}
	budget.Share(m)
	return m
}

// daysOf is a stretch of a space's own visit days.
type daysOf struct {
	place       *place
	first, stop calendar.Date
}

// placeDay is one of them.
type placeDay struct {
	place *place
	day   calendar.Date
}

// span is the instants of the days.
func (a daysOf) span() window {
	start, _ := a.place.calendar.Span(a.first)
	end, _ := a.place.calendar.Span(a.stop)
	return window{start, end}
}

// recall is visit days of spaces as they are at the spaces' versions: from memory, or
// read, all in one statement, and remembered.
func (s *scope) recall(ctx context.Context, asked ...daysOf) ([][]*dayMemory, error) {
	m := s.reader.memory
	recalled := make([][]*dayMemory, len(asked))
	var stale []daysOf // what must be looked at
	var of []int       // for which of those asked for
	m.mu.Lock()
	now := m.budget.Use()
	for i, a := range asked {
		recalled[i] = make([]*dayMemory, a.stop-a.first)
		from, to := a.stop, a.first
		m.days.each(a, func(d calendar.Date, known *dayMemory) {
			if known != nil && known.confirmed == a.place.version {
				known.uses.day = now
				recalled[i][d-a.first] = known
				return
			}
			from, to = min(from, d), max(to, d+1)
		})
		if from < to {
			stale, of = append(stale, daysOf{a.place, from, to}), append(of, i)
		}
	}
	m.mu.Unlock()
	if len(stale) > 0 {
		read, err := s.readChanged(ctx, stale)
		if err != nil {
			return nil, err
		}
		for i, a := range stale {
			for d := a.first; d < a.stop; d++ {
				k := spaceDate{a.place.id, d}
				recalled[of[i]][d-asked[of[i]].first] = m.confirm(k, read[k], a.place.version)
			}
		}
	}
	if s.trying { // what comes then is counted another time, if it is at all
		return nil, errOffline
	}
	return recalled, nil
}

// confirm remembers that a day is as it was read; nil is a day without a row.
func (m *memory) confirm(k spaceDate, read *dayMemory, version int64) *dayMemory {
	if read == nil {
		read = &dayMemory{version: absent, sums: spaceDay{date: k.date}, turnout: &turnout{}, stays: &packedVisits{}, arrivals: []came{}}
	}
	if read.uses == nil {
		read.uses = &uses{}
	}
	read.confirmed = version
	m.keep(k, read)
	return read
}

// keep remembers a day, unless somebody has seen a later state of it meanwhile.
func (m *memory) keep(k spaceDate, fresh *dayMemory) {
	if room := fresh.room(); m.budget.Take(room) {
		m.budget.Give(m.put(k, fresh, room))
	}
}

// put puts a day, for which room was taken, in the place of the one that is remembered, and
// returns the room that is left over.
func (m *memory) put(k spaceDate, fresh *dayMemory, room int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.days.at(k)
	if known != nil && known.confirmed > fresh.confirmed {
		return room
	}
	fresh.uses.day = m.budget.Use()
	if known != nil {
		for i, at := range known.uses.of {
			fresh.uses.of[i] = max(fresh.uses.of[i], at)
		}
	}
	m.days.keep(k, fresh)
	return known.room()
}

// dayRoom is how many bytes a day takes without its slots and its parts.
const dayRoom = 400

// room is how many bytes a day takes; nil is none.
func (d *dayMemory) room() int {
	if d == nil {
		return 0
	}
	room := dayRoom + len(d.sums.slots)
	for i := range parts {
		room += parts[i].room(d)
	}
	return room
}

// Uses is remember.Holder's. A part of a day is a thing by itself: sums are asked for often,
// visits of the same day perhaps once.
func (m *memory) Uses(yield func(used int64, bytes int)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, page := range m.days {
		for _, d := range page {
			if d == nil {
				continue
			}
			yield(d.uses.day, dayRoom+len(d.sums.slots))
			for i := range parts {
				if room := parts[i].room(d); room > 0 {
					yield(d.uses.of[i], room)
				}
			}
		}
	}
}

// Forget is remember.Holder's. Somebody may be reading a day of which a part is forgotten.
func (m *memory) Forget(before int64) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	forgotten := 0
	for key, page := range m.days {
		empty := true
		for i, d := range page {
			switch {
			case d == nil:
				continue
			case d.uses.day < before:
				page[i] = nil
			default:
				page[i] = d.without(before)
				empty = false
			}
			forgotten += d.room() - page[i].room()
		}
		if empty {
			delete(m.days, key)
		}
	}
	return forgotten
}

// without is the day without the parts that were asked for last before an instant.
func (d *dayMemory) without(before int64) *dayMemory {
	left := d
	for i := range parts {
		if d.uses.of[i] >= before || parts[i].room(d) == 0 {
			continue
		}
		if left == d {
			copied := *d
			left = &copied
		}
		parts[i].drop(left)
	}
	return left
}

// ranges is stretches of days as a statement takes them.
func ranges(asked []daysOf) pgx.StrictNamedArgs {
	var o ownDays
	for _, a := range asked {
		o.add(a.place, a.first, a.stop)
	}
	return o.args()
}

// readChanged is stretches of days as they are now. What is remembered of a day whose
// version has not moved holds, and is not read again. A day without a row is not among
// them.
func (s *scope) readChanged(ctx context.Context, asked []daysOf) (map[spaceDate]*dayMemory, error) {
	known := s.reader.memory.known(asked)
	args := changedArgs(asked, known)
	s.expected.addTo(args)
	rows, err := s.db.Query(ctx, changedDaysSQL, args)
	if err != nil {
		return nil, pg.Classify(err)
	}
	now, err := s.takeDays(rows)
	if err != nil {
		return nil, pg.Classify(err)
	}
	for _, k := range known {
		if now[k.spaceDate] == nil {
			same := *k.dayMemory
			now[k.spaceDate] = &same
		}
	}
	return now, nil
}

// knownDay is a day that is remembered.
type knownDay struct {
	spaceDate
	*dayMemory
}

// known is the days of stretches that are remembered, of those that had a row.
func (m *memory) known(asked []daysOf) []knownDay {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []knownDay
	for _, a := range asked {
		m.days.each(a, func(d calendar.Date, known *dayMemory) {
			if known != nil && known.version != absent {
				all = append(all, knownDay{spaceDate{a.place.id, d}, known})
			}
		})
	}
	return all
}

// changedArgs is stretches of days, and what is known of them, as a statement takes them.
func changedArgs(asked []daysOf, known []knownDay) pgx.StrictNamedArgs {
	args := ranges(asked)
	spaces, days, versions := make([]int32, len(known)), make([]int32, len(known)), make([]int64, len(known))
	peopled := make([]bool, len(known)) // who had a visit was read, and is wanted again
	for i, k := range known {
		spaces[i], days[i], versions[i], peopled[i] = k.space, int32(k.date), k.version, parts[ofMembers].has(k.dayMemory)
	}
	args["known_spaces"], args["known_days"], args["known_versions"], args["peopled"] = spaces, days, versions, peopled
	return args
}

// takeDays takes the sums of days, and of some who had a visit.
func (s *scope) takeDays(rows pgx.Rows) (map[spaceDate]*dayMemory, error) {
	days := map[spaceDate]*dayMemory{}
	var (
		space, date int32
		people      pgtype.UndecodedBytes // nil: not read
		d           dayMemory
		met         *bool // nil: this is a day
		complete    *time.Time
	)
	sums := &d.sums
	_, err := pgx.ForEachRow(rows, []any{
		&space, &date, &d.version, &sums.checkins, &sums.failed, &sums.visits, &sums.members, &sums.anonymous, &sums.estimated,
		&sums.dwell, &sums.late, &sums.slots, &people, &met, &complete,
	}, func() error {
		if met != nil {
			return s.expected.check(*met, complete)
		}
		day := d
		day.sums.date, day.sums.slots = calendar.Date(date), slices.Clone(sums.slots)
		if day.sums.visits == 0 {
			day.turnout, day.stays, day.arrivals = &turnout{}, &packedVisits{}, []came{}
		}
		days[spaceDate{space, day.sums.date}] = &day
		if people == nil {
			return nil
		}
		members, err := pg.Array[int32](people)
		day.turnout = turnoutOf(members)
		return err
	})
	return days, err
}

// part is what is read of days only where it is needed, one row a day or more.
type part struct {
	sql  string
	take func(rows pgx.Rows, days map[spaceDate]*dayMemory) error
	has  func(*dayMemory) bool // it was read
	room func(*dayMemory) int  // how many bytes it takes
	drop func(*dayMemory)
}

// Parts of a day, by their place in parts.
const (
	ofMembers = iota
	ofStays
	ofArrivals
	kinds // how many there are
)

var parts = [kinds]part{
	ofMembers: {
		dayMembersSQL, takeMembers,
		func(d *dayMemory) bool { return d.turnout != nil },
		func(d *dayMemory) int { return d.turnout.room() },
		func(d *dayMemory) { d.turnout = nil },
	},
	ofStays: {
		staysSQL, takeStays,
		func(d *dayMemory) bool { return d.stays != nil },
		func(d *dayMemory) int { return d.stays.room() },
		func(d *dayMemory) { d.stays = nil },
	},
	ofArrivals: {
		arrivalsSQL, takeArrivals,
		func(d *dayMemory) bool { return d.arrivals != nil },
		func(d *dayMemory) int { return cameRoom * len(d.arrivals) },
		func(d *dayMemory) { d.arrivals = nil },
	},
}

// recallMembers is recall with who had a visit on each of the days.
func (s *scope) recallMembers(ctx context.Context, asked ...daysOf) ([][]*dayMemory, error) {
	return s.recallWhole(ctx, asked, ofMembers)
}

// portion is some of the days that a question is about, which have few visits.
type portion struct {
	asked []daysOf
	known [][]*dayMemory // of each stretch, with the part that was wanted
	next  *daysOf        // what the portion after it begins with; nil: it is the last one
}

// portions reads a part of each of some days, portion by portion, in the order of the days.
// After an error there are no more.
func (s *scope) portions(ctx context.Context, asked []daysOf, of int) iter.Seq2[portion, error] {
	return func(yield func(portion, error) bool) {
		cut, err := s.cut(ctx, asked)
		if err != nil {
			yield(portion{}, err)
			return
		}
		for i, days := range cut {
			p := portion{asked: days}
			if i+1 < len(cut) {
				p.next = &cut[i+1][0]
			}
			if p.known, err = s.recallWhole(ctx, days, of); !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// cut cuts stretches of days where there are many visits.
func (s *scope) cut(ctx context.Context, asked []daysOf) ([][]daysOf, error) {
	recalled, err := s.recall(ctx, asked...)
	if err != nil {
		return nil, err
	}
	var all [][]daysOf
	var some []daysOf
	var visits int64
	for i, a := range asked {
		next := daysOf{a.place, a.first, a.first}
		for _, d := range recalled[i] {
			if visits += d.sums.visits; visits > s.reader.few.visits && visits > d.sums.visits {
				if next.first < next.stop {
					some = append(some, next)
				}
				all = append(all, some)
				some, visits, next.first = nil, d.sums.visits, next.stop
			}
			next.stop++
		}
		if next.first < next.stop {
			some = append(some, next)
		}
	}
	if len(some) > 0 {
		all = append(all, some)
	}
	return all, nil
}

// days is each of the days.
func (p portion) days() iter.Seq2[placeDay, *dayMemory] {
	return func(yield func(placeDay, *dayMemory) bool) {
		for i, a := range p.asked {
			for j, d := range p.known[i] {
				if !yield(placeDay{a.place, a.first.AddDays(j)}, d) {
					return
				}
			}
		}
	}
}

// recallArrivals is recall with when each visit of a member began on each of the days.
func (s *scope) recallArrivals(ctx context.Context, asked ...daysOf) ([][]*dayMemory, error) {
	return s.recallWhole(ctx, asked, ofArrivals)
}

// recallWhole reads a part of days that is read only where it is needed.
func (s *scope) recallWhole(ctx context.Context, asked []daysOf, of int) ([][]*dayMemory, error) {
	recalled, err := s.recall(ctx, asked...)
	if err != nil {
		return nil, err
	}
	m, wanted := s.reader.memory, parts[of]
	missing := map[spaceDate]*dayMemory{}
	m.mu.Lock()
	now := m.budget.Use()
	for i, a := range asked {
		for j, d := range recalled[i] {
			k := spaceDate{a.place.id, a.first.AddDays(j)}
			switch {
			case missing[k] != nil: // it was asked for twice
				recalled[i][j] = missing[k]
			case !wanted.has(d):
				whole := *d
				recalled[i][j], missing[k] = &whole, &whole
			}
			d.uses.day, d.uses.of[of] = now, now
		}
	}
	m.mu.Unlock()
	if len(missing) == 0 {
		return recalled, nil
	}
	rows, err := s.db.Query(ctx, wanted.sql, dates(missing))
	if err != nil {
		return nil, pg.Classify(err)
	}
	if err := wanted.take(rows, missing); err != nil {
		return nil, pg.Classify(err)
	}
	for k, d := range missing {
		m.keep(k, d)
	}
	return recalled, nil
}

// dates is days as a statement takes them, in order.
func dates(days map[spaceDate]*dayMemory) pgx.StrictNamedArgs {
	keys := slices.SortedFunc(maps.Keys(days), func(a, b spaceDate) int {
		return cmp.Or(cmp.Compare(a.space, b.space), cmp.Compare(a.date, b.date))
	})
	spaces, dates := make([]int32, len(keys)), make([]int32, len(keys))
	for i, k := range keys {
		spaces[i], dates[i] = k.space, int32(k.date)
	}
	return pgx.StrictNamedArgs{"spaces": spaces, "days": dates}
}

func takeMembers(rows pgx.Rows, days map[spaceDate]*dayMemory) error {
	var space, date int32
	var sent pgtype.UndecodedBytes
	_, err := pgx.ForEachRow(rows, []any{&space, &date, &sent}, func() error {
		d := days[spaceDate{space, calendar.Date(date)}]
		members, err := pg.Array[int32](sent)
		d.turnout = turnoutOf(members)
		return err
	})
	return err
}

func takeArrivals(rows pgx.Rows, days map[spaceDate]*dayMemory) error {
	for _, d := range days {
		d.arrivals = make([]came, 0, d.sums.visits)
	}
	var space, date int32
	var at time.Time
	var c came
	_, err := pgx.ForEachRow(rows, []any{&space, &date, &c.member, &at}, func() error {
		d := days[spaceDate{space, calendar.Date(date)}]
		c.in = at.UnixMicro()
		d.arrivals = append(d.arrivals, c)
		return nil
	})
	for _, d := range days {
		slices.SortFunc(d.arrivals, func(a, b came) int { return cmp.Or(cmp.Compare(a.in, b.in), cmp.Compare(a.member, b.member)) })
	}
	return err
}

// takeStays packs visits, which come day by day.
func takeStays(rows pgx.Rows, days map[spaceDate]*dayMemory) error {
	for _, d := range days {
		d.stays = &packedVisits{}
	}
	var (
		space, date   int32
		v             visit
		in, out, last time.Time
		away          []time.Time
		day           *dayMemory // whose visits come
		packed        packing
	)
	_, err := pgx.ForEachRow(rows, []any{
		&space, &date, &v.member, &in, &out, &v.explicit, &v.cutoff, &v.party, &away, &v.touches, &last,
		&v.method, &v.zone, &v.plan, &v.team,
	}, func() error {
		v.in, v.out, v.lastTouch, v.away = in.UnixMicro(), out.UnixMicro(), last.UnixMicro(), v.away[:0]
		for _, at := range away {
			v.away = append(v.away, at.UnixMicro())
		}
		if of := days[spaceDate{space, calendar.Date(date)}]; of != day {
			day.packed(&packed)
			day = of
		}
		packed.add(&v)
		return nil
	})
	day.packed(&packed)
	return err
}

// packed takes over what was packed of a day's visits; nil is no day.
func (d *dayMemory) packed(p *packing) {
	if d != nil {
		d.stays = &packedVisits{slices.Clone(p.bytes)}
	}
	*p = packing{numbers: numbers{p.bytes[:0]}}
}

// bornAt is when the first event of a space's first day happened. A day whose events
// are gone tells nothing: then it is the day's begin.
func (s *scope) bornAt(ctx context.Context, p *place) (int64, error) {
	days, err := s.recall(ctx, daysOf{p, p.firstDay, p.firstDay + 1})
	if err != nil {
		return 0, err
	}
	m, version := s.reader.memory, days[0][0].version
	m.mu.Lock()
	known, ok := m.births[p.id]
	m.mu.Unlock()
	if ok && known.date == p.firstDay && known.version == version && known.settings == p.settings {
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
	born := birth{p.firstDay, version, p.settings, start}
	if first != nil {
		born.at = first.UnixMicro()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.births[p.id] = born
	return born.at, nil
}

// Room is how many bytes a basis takes.
func (b Basis) Room() int {
	if b.scope == nil {
		return 0
	}
	return basisRoom + placeRoom*len(b.scope.visible)
}

// How many bytes a basis takes without its spaces, and each of those, which are in it as
// they were found, as the range lies in them, and by their versions.
const (
	basisRoom = 800
	placeRoom = 450
)
