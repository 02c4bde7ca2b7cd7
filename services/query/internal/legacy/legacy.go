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
// until anything is written.
type Reports struct {
	Pool *pgxpool.Pool
	Zone *time.Location // the old system's timestamps had none: they were in this one

	dailyUsage, userVisits made

	dates     sync.Once
	midnights *calendar.Calendar
}

// made is a body, and the state of the database that it was made of.
type made struct {
	mu    sync.Mutex
	state int64
	body  []byte
}

// current is the body as of the state that the database is in. Every change moves the
// version of a space, and none ever goes back, so their sum tells states apart.
func (m *made) current(ctx context.Context, r *Reports, read func(context.Context) ([]byte, error)) ([]byte, error) {
	rows, err := r.Pool.Query(ctx, stateSQL)
	if err != nil {
		return nil, pg.Classify(err)
	}
	state, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, pg.Classify(err)
	}
	m.mu.Lock()
	body, holds := m.body, m.body != nil && m.state == state
	m.mu.Unlock()
	if holds {
		return body, nil
	}
	if body, err = read(ctx); err != nil { // it may be of a later state: then it is made once more
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state, m.body = state, body
	return body, nil
}

var (
	//go:embed daily_usage.sql
	dailyUsageSQL string
	//go:embed user_visits.sql
	userVisitsSQL string
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

func (r *Reports) makeDailyUsage(ctx context.Context) ([]byte, error) {
	rows, err := r.Pool.Query(ctx, dailyUsageSQL)
	if err != nil {
		return nil, pg.Classify(err)
	}
	var sentSlots, sentUsed pgtype.UndecodedBytes
	var slots, used []int64
	_, err = pgx.ForEachRow(rows, []any{&sentSlots, &sentUsed}, func() (err error) {
		if slots, err = pg.Array[int64](sentSlots); err == nil {
			used, err = pg.Array[int64](sentUsed)
		}
		return err
	})
	if err != nil {
		return nil, pg.Classify(err)
	}
	dates := r.calendar()
	byDate := map[calendar.Date]int64{}
	for i, slot := range slots {
		byDate[dates.DayAt(slot+pg.Epoch)] += used[i]
	}
	body := []byte{'{'}
	for i, date := range slices.Sorted(maps.Keys(byDate)) {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendText(body, date.String())
		body = append(body, ':')
		body = strconv.AppendInt(body, byDate[date], 10)
	}
	return append(body, '}', '\n'), nil
}

// calendar is the dates of the old system's zone, worked out once.
func (r *Reports) calendar() *calendar.Calendar {
	r.dates.Do(func() { r.midnights = calendar.Midnights(r.Zone) })
	return r.midnights
}

// visitor is a user of the old system's second report.
type visitor struct {
	member string
	visits int64
	joined *time.Time // nil: nobody said
}

// UserVisits is how many tokens each user was issued, used or not, and when they
// joined, as one compact JSON object, users in numeric order, and the newline that
// ends it. It is not to be changed.
func (r *Reports) UserVisits(ctx context.Context) ([]byte, error) {
	return r.userVisits.current(ctx, r, r.makeUserVisits)
}

func (r *Reports) makeUserVisits(ctx context.Context) ([]byte, error) {
	rows, err := r.Pool.Query(ctx, userVisitsSQL)
	if err != nil {
		return nil, pg.Classify(err)
	}
	var visitors []visitor
	var v visitor
	_, err = pgx.ForEachRow(rows, []any{&v.member, &v.visits, &v.joined}, func() error {
		visitors = append(visitors, v)
		return nil
	})
	if err != nil {
		return nil, pg.Classify(err)
	}
	slices.SortFunc(visitors, func(a, b visitor) int { return compareUsers(a.member, b.member) })
	body := []byte{'{'}
	for i, v := range visitors {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendText(body, v.member)
		body = append(body, `:{"joined_at":`...)
		body = appendText(body, r.timestamp(v.joined))
		body = append(body, `,"visits":`...)
		body = strconv.AppendInt(body, v.visits, 10)
		body = append(body, '}')
	}
	return append(body, '}', '\n'), nil
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
