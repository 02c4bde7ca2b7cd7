// Package legacy is the contract of the system that this one replaces: two
// reports, and one line in the log, to the byte. Its clients must not notice that
// it is gone. Everything comes from rollups; nothing here reads an event.
package legacy

import (
	"cmp"
	"context"
	_ "embed"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Reports answers the two reports of the old system. A body is made once, and holds
// until anything is written; then only what changed is read again. Any number of
// goroutines may share it.
type Reports struct {
	Pool *pgxpool.Pool
	Zone *time.Location // the old system's timestamps had none: they were in this one

	dailyUsage, userVisits made

	days     map[int32]usedDay // of UTC, by their number from 1970
	used     []usedDate        // dates ascending
	visitors visitors

	dates     sync.Once
	midnights *calendar.Calendar
}

// state tells states of the database apart. Every change moves the version of a space,
// and none ever goes back, so sums do.
type state struct {
	versions int64
	members  int64 // the version of the space `_`, which all that is said of members moves
}

// made is a body, and the state of the database that it was made of.
type made struct {
	mu    sync.Mutex
	state state
	body  []byte

	begin sync.Once
	turn  chan struct{} // whoever is in it makes the body, and may write to what is remembered for it
}

// current is the body as of the state that the database is in, or a later one. Of those
// who find that it has changed one makes it, and the others wait: if that one gives up,
// the next makes it.
func (m *made) current(ctx context.Context, r *Reports, read func(context.Context, state) ([]byte, error)) ([]byte, error) {
	now, err := r.state(ctx)
	if err != nil {
		return nil, err
	}
	if body := m.at(now); body != nil {
		return body, nil
	}
	m.begin.Do(func() { m.turn = make(chan struct{}, 1) })
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return nil, pg.Classify(ctx.Err())
	}
	if body := m.at(now); body != nil {
		return body, nil
	}
	body, err := read(ctx, now)
	if err != nil { // what was remembered before holds
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state, m.body = now, body // it may be of a later state: then it is made once more
	return body, nil
}

// at is the body as of a state, nil if it was made of another.
func (m *made) at(s state) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.state != s {
		return nil
	}
	return m.body
}

// state is the one that the database is in.
func (r *Reports) state(ctx context.Context) (state, error) {
	rows, err := r.Pool.Query(ctx, stateSQL)
	if err != nil {
		return state{}, pg.Classify(err)
	}
	var now state
	var version int64
	var ofMembers bool
	_, err = pgx.ForEachRow(rows, []any{&version, &ofMembers}, func() error {
		now.versions += version
		if ofMembers {
			now.members = version
		}
		return nil
	})
	return now, pg.Classify(err)
}

var (
	//go:embed daily_usage.sql
	dailyUsageSQL string
	//go:embed user_visits.sql
	userVisitsSQL string
	//go:embed members.sql
	membersSQL string
	//go:embed state.sql
	stateSQL string
	//go:embed readable.sql
	readableSQL string
)

// DailyUsage is how many tokens issued on each date were used, as one compact
// JSON object, dates ascending, and the newline that ends it. It is not to be changed.
func (r *Reports) DailyUsage(ctx context.Context) ([]byte, error) {
	return r.dailyUsage.current(ctx, r, r.makeDailyUsage)
}

// usedDay is a UTC day, as of its version: used tokens by the date of their issue in the
// old system's zone.
type usedDay struct {
	version int64
	byDate  map[calendar.Date]int64
}

// usedDate is a date of the report, and how many tokens issued on it were used.
type usedDate struct {
	date calendar.Date
	text string // what is written of it, up to the number
	used int64
}

func (r *Reports) makeDailyUsage(ctx context.Context, _ state) ([]byte, error) {
	if err := r.readDays(ctx); err != nil {
		return nil, err
	}
	body := append(make([]byte, 0, 20*len(r.used)), '{')
	for i := range r.used {
		if r.used[i].used == 0 {
			continue
		}
		if len(body) > 1 {
			body = append(body, ',')
		}
		body = append(body, r.used[i].text...)
		body = strconv.AppendInt(body, r.used[i].used, 10)
	}
	return append(body, '}', '\n'), nil
}

// count adds what a day counts, times a sign, to the dates.
func (r *Reports) count(day usedDay, sign int64) {
	for date, used := range day.byDate {
		i, known := slices.BinarySearchFunc(r.used, date, func(d usedDate, date calendar.Date) int { return cmp.Compare(d.date, date) })
		if !known {
			r.used = slices.Insert(r.used, i, usedDate{date: date, text: string(appendText(nil, date.String())) + ":"})
		}
		r.used[i].used += sign * used
	}
}

// readDays reads the days that are not remembered as they are now.
func (r *Reports) readDays(ctx context.Context) error {
	known, versions := make([]int32, 0, len(r.days)), make([]int64, 0, len(r.days))
	for day, remembered := range r.days {
		known, versions = append(known, day), append(versions, remembered.version)
	}
	rows, err := r.Pool.Query(ctx, dailyUsageSQL, pgx.StrictNamedArgs{"days": known, "versions": versions})
	if err != nil {
		return pg.Classify(err)
	}
	dates, changed := r.calendar(), map[int32]usedDay{}
	var (
		day                 int32
		version             int64
		sentSlots, sentUsed pgtype.UndecodedBytes
	)
	_, err = pgx.ForEachRow(rows, []any{&day, &version, &sentSlots, &sentUsed}, func() error {
		slots, err := pg.Array[int64](sentSlots)
		if err != nil {
			return err
		}
		used, err := pg.Array[int64](sentUsed)
		byDate := map[calendar.Date]int64{}
		for i, n := range used {
			byDate[dates.DayAt(slots[i]+pg.Epoch)] += n
		}
		changed[day] = usedDay{version, byDate}
		return err
	})
	if err != nil {
		return pg.Classify(err)
	}
	if r.days == nil {
		r.days = map[int32]usedDay{}
	}
	for day, now := range changed {
		r.count(r.days[day], -1)
		r.count(now, 1)
		r.days[day] = now
	}
	return nil
}

// calendar is the dates of the old system's zone, worked out once.
func (r *Reports) calendar() *calendar.Calendar {
	r.dates.Do(func() { r.midnights = calendar.Midnights(r.Zone) })
	return r.midnights
}

// visitors is the users of the old system's second report, as of what was said of
// members at a version of the space `_`.
type visitors struct {
	version int64
	known   map[int32]*visitor // by the member's number
	inOrder []*visitor
	size    int // of the last body
}

// visitor is one of them.
type visitor struct {
	member string
	text   []byte // what is written of them, up to the number of visits
	visits int64
}

// UserVisits is how many tokens each user was issued, used or not, and when they
// joined, as one compact JSON object, users in numeric order, and the newline that
// ends it. It is not to be changed.
func (r *Reports) UserVisits(ctx context.Context) ([]byte, error) {
	return r.userVisits.current(ctx, r, r.makeUserVisits)
}

func (r *Reports) makeUserVisits(ctx context.Context, now state) ([]byte, error) {
	members, visits, err := r.readVisits(ctx)
	if err != nil {
		return nil, err
	}
	// The version was read before the members are: they may be as of a later one, and are
	// then read once more, but never as of an earlier one.
	if r.visitors.version != now.members {
		r.visitors = visitors{version: now.members}
	}
	if err := r.meet(ctx, members); err != nil {
		return nil, err
	}
	for _, v := range r.visitors.inOrder {
		v.visits = 0
	}
	for i, member := range members {
		if v := r.visitors.known[member]; v != nil {
			v.visits = visits[i]
		}
	}
	body := append(make([]byte, 0, r.visitors.size+r.visitors.size/16), '{')
	for _, v := range r.visitors.inOrder {
		if v.visits == 0 {
			continue
		}
		if len(body) > 1 {
			body = append(body, ',')
		}
		body = append(body, v.text...)
		body = strconv.AppendInt(body, v.visits, 10)
		body = append(body, '}')
	}
	body = append(body, '}', '\n')
	r.visitors.size = len(body)
	return body, nil
}

// readVisits is the numbers of members, and how many tokens each was issued.
func (r *Reports) readVisits(ctx context.Context) (members []int32, visits []int64, err error) {
	rows, err := r.Pool.Query(ctx, userVisitsSQL)
	if err != nil {
		return nil, nil, pg.Classify(err)
	}
	var sentMembers, sentVisits pgtype.UndecodedBytes
	_, err = pgx.ForEachRow(rows, []any{&sentMembers, &sentVisits}, func() (err error) {
		if members, err = pg.Array[int32](sentMembers); err == nil {
			visits, err = pg.Array[int64](sentVisits)
		}
		return err
	})
	return members, visits, pg.Classify(err)
}

// meet reads who those of the members are that are not known.
func (r *Reports) meet(ctx context.Context, members []int32) error {
	unknown := slices.DeleteFunc(slices.Clone(members), func(id int32) bool { return r.visitors.known[id] != nil })
	if len(unknown) == 0 {
		return nil
	}
	rows, err := r.Pool.Query(ctx, membersSQL, pgx.StrictNamedArgs{"members": unknown})
	if err != nil {
		return pg.Classify(err)
	}
	var (
		id     int32
		member string
		joined *time.Time // nil: nobody said
	)
	met := make(map[int32]*visitor, len(unknown))
	_, err = pgx.ForEachRow(rows, []any{&id, &member, &joined}, func() error {
		text := append(appendText(nil, member), `:{"joined_at":`...)
		met[id] = &visitor{member: member, text: append(appendText(text, r.timestamp(joined)), `,"visits":`...)}
		return nil
	})
	if err != nil {
		return pg.Classify(err)
	}
	if r.visitors.known == nil {
		r.visitors.known = met
	}
	maps.Copy(r.visitors.known, met)
	r.visitors.inOrder = slices.SortedFunc(maps.Values(r.visitors.known), func(a, b *visitor) int { return compareUsers(a.member, b.member) })
	return nil
}

// timestamp writes an instant as the old system did: all six digits of a second's
// fraction, or none; "None" where there is no instant.
func (r *Reports) timestamp(at *time.Time) string {
	if at == nil {
		return "None"
	}
	local := at.In(r.Zone)
	if local.Nanosecond()/1000 == 0 {
		return local.Format(time.DateTime)
	}
	return local.Format(time.DateTime + ".000000")
}

// Readable is an error unless the data of both reports can be read.
func (r *Reports) Readable(ctx context.Context) error {
	rows, err := r.Pool.Query(ctx, readableSQL)
	if err != nil {
		return pg.Classify(err)
	}
	_, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool])
	return pg.Classify(err)
}

// isNumber says whether a text is a whole number, of any length.
func isNumber(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}

// compareUsers puts 2 before 10, and what is no number after all that are, by its
// bytes.
func compareUsers(a, b string) int {
	switch numberA, numberB := isNumber(a), isNumber(b); {
	case numberA && numberB:
		return cmp.Or(compareNumbers(a, b), strings.Compare(a, b))
	case numberA:
		return -1
	case numberB:
		return 1
	default:
		return strings.Compare(a, b)
	}
}

// compareNumbers compares whole numbers of any length.
func compareNumbers(a, b string) int {
	sizeA, belowA := strings.CutPrefix(a, "-")
	sizeB, belowB := strings.CutPrefix(b, "-")
	sizeA, sizeB = strings.TrimLeft(sizeA, "0"), strings.TrimLeft(sizeB, "0")
	belowA, belowB = belowA && sizeA != "", belowB && sizeB != ""
	size := cmp.Or(cmp.Compare(len(sizeA), len(sizeB)), strings.Compare(sizeA, sizeB))
	switch {
	case belowA && belowB:
		return -size
	case belowA:
		return -1
	case belowB:
		return 1
	default:
		return size
	}
}
