package report_test

import (
	"context"
	_ "embed"
	"testing"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/slots"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

var (
	//go:embed testdata/tables.sql
	tablesSQL string
	//go:embed testdata/file.sql
	fileSQL string
	//go:embed testdata/world.sql
	worldSQL string
)

// loadWorld fills a database with the world of testdata/world.sql.
func loadWorld(tb testing.TB, pool *pgxpool.Pool) {
	tb.Helper()
	loadScript(tb, pool, worldSQL)
}

// loadScript fills a database with a world that a script tells.
func loadScript(tb testing.TB, pool *pgxpool.Pool, script string) {
	tb.Helper()
	load(tb, pool, func(ctx context.Context, conn *pgx.Conn) error { return exec(ctx, conn, script) })
}

// fatal is the part of a test that loading needs; rapid's tests have it, too.
type fatal interface {
	Helper()
	Fatal(args ...any)
}

// load fills a database with what tell says: it writes to the tables of
// testdata/tables.sql.
func load(t fatal, pool *pgxpool.Pool, tell func(context.Context, *pgx.Conn) error) {
	t.Helper()
	ctx := context.Background()
	err := pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		conn := c.Conn()
		for _, step := range []func() error{
			func() error { return exec(ctx, conn, tablesSQL) },
			func() error { return tell(ctx, conn) },
			func() error { return exec(ctx, conn, fileSQL) },
			func() error { return addUp(ctx, conn) },
			func() error { return exec(ctx, conn, `drop table numbered`) },
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// exec runs a script.
func exec(ctx context.Context, conn *pgx.Conn, script string) error {
	return conn.PgConn().Exec(ctx, script).Close()
}

// ways is a row of method_day in the making.
type ways struct {
	spaceDate

	method, source, reason int32
}

// sums is a row of space_day in the making.
type sums struct {
	events, late, checkins, failed, visits, members, anonymous, estimated, dwell, dwellEstimated int64
	slots                                                                                        slots.Day
}

type spaceDate struct {
	space int32
	date  calendar.Date
}

// addUp writes space_day from the events and visits that are filed.
func addUp(ctx context.Context, conn *pgx.Conn) error {
	calendars, err := calendars(ctx, conn)
	if err != nil {
		return err
	}
	days := map[spaceDate]*sums{}
	of := func(space int32, date calendar.Date) (*sums, slots.Span) {
		k := spaceDate{space, date}
		if days[k] == nil {
			days[k] = &sums{}
		}
		start, end := calendars[space].Span(date)
		return days[k], slots.Span{Start: start, End: end}
	}

	var space, method, source, reason int32
	var kind string
	var at, received time.Time
	batch := &pgx.Batch{}
	came, refused := map[ways]int{}, map[ways]int{}
	rows, err := conn.Query(ctx, `select e.space, k.name, e.time, e.received, coalesce(e.method, 0), e.source, coalesce(e.reason, 0)
	  from events e join names k on k.id = e.kind`)
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, []any{&space, &kind, &at, &received, &method, &source, &reason}, func() error {
		d, span := of(space, calendars[space].Day(at))
		way := ways{spaceDate{space, calendars[space].Day(at)}, method, source, reason}
		d.events++
		if received.Sub(at) > 15*time.Minute {
			d.late++
		}
		switch kind {
		case "checkin", "token_used":
			d.checkins++
			d.slots.AddCheckin(span, at.UnixMicro())
			way.reason = 0
			came[way]++
		case "checkin_failed":
			d.failed++
			d.slots.AddFailed(span, at.UnixMicro())
			refused[way]++
		}
		return nil
	})
	if err != nil {
		return err
	}

	for way, n := range came {
		batch.Queue(`insert into method_day values ($1, $2, $3, $4, 0, $5, $6)`,
			way.space, way.date.Time(), way.method, way.source, n, refused[way])
		delete(refused, way)
	}
	for way, n := range refused {
		batch.Queue(`insert into method_day values ($1, $2, $3, $4, $5, 0, $6)`,
			way.space, way.date.Time(), way.method, way.source, way.reason, n)
	}

	var day, in, out time.Time
	var away []time.Time
	var member *int32
	var ended int16
	var party int64
	seen := map[spaceDate]map[int32]bool{}
	rows, err = conn.Query(ctx, `select space, day, member, in_at, out_at, end_reason, party_size, away from visits`)
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, []any{&space, &day, &member, &in, &out, &ended, &party, &away}, func() error {
		d, span := of(space, calendar.DateOf(day))
		v := slots.Visit{
			In: in.UnixMicro(), Out: out.UnixMicro(), Party: party, Explicit: ended == 0, Anonymous: member == nil,
		}
		inside := out.Sub(in)
		for i := 0; i+1 < len(away); i += 2 {
			v.Away = append(v.Away, slots.Away{From: away[i].UnixMicro(), To: away[i+1].UnixMicro()})
			inside -= away[i+1].Sub(away[i])
		}
		d.slots.AddVisit(span, v)
		d.visits++
		d.dwell += inside.Microseconds() * party
		if !v.Explicit {
			d.estimated++
			d.dwellEstimated += inside.Microseconds() * party
		}
		k := spaceDate{space, calendar.DateOf(day)}
		switch {
		case member == nil:
			d.anonymous++
		case !seen[k][*member]:
			d.members++
			if seen[k] == nil {
				seen[k] = map[int32]bool{}
			}
			seen[k][*member] = true
		}
		return nil
	})
	if err != nil {
		return err
	}

	for k, d := range days {
		batch.Queue(`insert into space_day (space, day, events, late, checkins, failed, visits, members, anonymous, estimated,
		  dwell_us, dwell_estimated_us, slots) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
			k.space, k.date.Time(), d.events, d.late, d.checkins, d.failed, d.visits, d.members, d.anonymous, d.estimated,
			d.dwell, d.dwellEstimated, d.slots.Append(nil))
	}
	return conn.SendBatch(ctx, batch).Close()
}

func calendars(ctx context.Context, conn *pgx.Conn) (map[int32]*calendar.Calendar, error) {
	rows, err := conn.Query(ctx, `select s.id, c.time, c.source, c.id, c.data from spaces s join space_changes c on c.space = s.id`)
	if err != nil {
		return nil, err
	}
	changes := map[int32][]calendar.Change{}
	var space int32
	var at time.Time
	var source, id string
	var data []byte
	_, err = pgx.ForEachRow(rows, []any{&space, &at, &source, &id, &data}, func() error {
		change, err := calendar.ParseChange(at, source, id, data)
		changes[space] = append(changes[space], change)
		return err
	})
	made := map[int32]*calendar.Calendar{}
	for space, said := range changes {
		made[space] = calendar.New(said)
	}
	return made, err
}
