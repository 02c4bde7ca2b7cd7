package main

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/stream"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

//go:embed sql/ceiling_shown.sql
var ceilingShown string

// flow is what happened while events came in at a rate.
type flow struct {
	Rate      int      `json:"events_per_second"`
	Windows   []window `json:"windows"`
	IngestMiB float64  `json:"ingest_mib"` // the most
	QueryMiB  float64  `json:"query_mib"`

	// Milliseconds from when an event was due to when the stream had it: what its
	// publisher and the broker take of the whole.
	AcknowledgedP50 float64 `json:"acknowledged_p50_ms"`
	AcknowledgedP99 float64 `json:"acknowledged_p99_ms"`

	// The same while nobody reads the stream, and nothing else runs: what is left of it
	// is the broker's and the disk's.
	AloneP50 float64 `json:"alone_p50_ms,omitzero"`
	AloneP99 float64 `json:"alone_p99_ms,omitzero"`

	// The same from a row of the simple program that the service is measured beside, asked
	// for by one statement over a connection that stays open: no report, no HTTP.
	Ceiling window `json:"ceiling,omitzero"`
}

// window is a part of that time; milliseconds, and what was there at its end.
type window struct {
	Seen        int     `json:"seen"`
	P50         float64 `json:"p50_ms"`
	P99         float64 `json:"p99_ms"`
	Max         float64 `json:"max_ms"`
	IngestMiB   float64 `json:"ingest_mib"`
	QueryMiB    float64 `json:"query_mib"`
	DatabaseMiB float64 `json:"database_mib"`
}

// A hundred events a second are of the space that the report is about. The others are
// of twenty thousand members, who come and go three times a day: the events' own time
// runs as fast as that takes, so that rows and days grow as in as many days of use.
const (
	looksASecond = 100
	mostAlone    = 5 * time.Second // of publishing while nothing else runs
	warmUp       = 3 * time.Second // both services have just started: they connect, and Postgres plans
	lookedAt     = "looked-at"
	lookEvery    = 3 * time.Millisecond // which is part of what is measured; more often would take the cores from what is
	flowMembers  = 20_000
	flowADay     = 3 * flowMembers
)

// flowTime is when the n-th event happened, by its own time.
func flowTime(n int) time.Time {
	return worldStart.Add(time.Duration(n) * (24 * time.Hour / flowADay))
}

// flow runs both services while events come in, each when it is due, whether or not
// the ones before were stored in time. Those of the first moments are not counted.
func (g *ground) flow(ctx context.Context, rate int, length, per time.Duration) (*flow, error) {
	c := g.service(1)
	if err := g.before(ctx, c); err != nil {
		return nil, err
	}
	if _, _, err := g.drain(ctx, c, nil); err != nil {
		return nil, err
	}
	w := &watch{ground: g, flow: &flow{Rate: rate}, per: per, database: c.name}
	writer, err := start(c.command(g.server.URL(c.name)))
	if err != nil {
		return nil, err
	}
	reader, err := g.serve(ctx, c.name)
	if err != nil {
		return nil, writer.abandon(err)
	}
	w.writer, w.reader = writer, reader.program
	last := flowTime(flowMembers + int((warmUp+length).Seconds()+1)*rate)
	address := reader.address + "/api/v1/reports/daily_usage.csv?space=" + lookedAt +
		"&from=" + worldStart.Format(time.DateOnly) + "&to=" + last.AddDate(0, 0, 1).Format(time.DateOnly)
	w.shown = func(ctx context.Context) (int, error) {
		_, body, err := get(ctx, address)
		if err != nil {
			return 0, err
		}
		return checkins(body)
	}
	if err := w.run(ctx, length); err != nil {
		return nil, reader.abandon(writer.abandon(err))
	}
	written, err := writer.stop()
	if err != nil {
		return nil, err
	}
	read, err := reader.stop()
	w.flow.IngestMiB, w.flow.QueryMiB = float64(written.Memory)/(1<<20), float64(read.Memory)/(1<<20)
	return w.flow, err
}

// besides measures what a flow is compared with: the same events while nothing runs that
// would store them, and while the simple program does.
func (g *ground) besides(ctx context.Context, f *flow, length time.Duration) error {
	c := g.eager()
	if err := g.empty(ctx, c); err != nil {
		return err
	}
	alone, err := g.publishDue(ctx, f.Rate, min(length, mostAlone), time.Second, nil)
	if err != nil {
		return err
	}
	f.AloneP50, f.AloneP99 = percentile(alone, 50), percentile(alone, 99)

	if err := g.before(ctx, c); err != nil {
		return err
	}
	db, err := pgx.Connect(ctx, g.server.URL(c.name))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	if _, err := db.Exec(ctx, ceilingSchema); err != nil { // who looks may be there first
		return err
	}
	w := &watch{ground: g, flow: &flow{Rate: f.Rate}, per: length, database: c.name}
	if w.writer, err = start(c.command(g.server.URL(c.name))); err != nil {
		return err
	}
	w.shown = func(ctx context.Context) (n int, err error) {
		err = db.QueryRow(ctx, ceilingShown).Scan(&n)
		return n - 1, err // without what its settings count for
	}
	if err := w.run(ctx, length); err != nil {
		return w.writer.abandon(err)
	}
	f.Ceiling = w.flow.Windows[0]
	_, err = w.writer.stop()
	return err
}

// before gives a contestant a database, and in the stream what happened before a flow: the
// settings of all spaces, first those of the one that is looked at, and everybody's visit.
func (g *ground) before(ctx context.Context, c contestant) error {
	if err := g.empty(ctx, c); err != nil {
		return err
	}
	zone := "UTC"
	happened := []event.Event{{
		ID: newID(worldStart), Source: lookedAt + "/door", Kind: event.SpaceUpserted, Time: worldStart, Space: lookedAt,
		Data: event.Data{Settings: &event.Settings{TimeZone: &zone}},
	}}
	said, err := places()
	if err != nil {
		return err
	}
	happened = append(happened, said...)
	for n := range flowMembers {
		happened = append(happened, flowing(n))
	}
	if _, err := g.publish(ctx, happened); err != nil {
		return err
	}
	return g.breakIn(ctx)
}

// watch is a flow that is looked at.
type watch struct {
	*ground

	flow           *flow
	per            time.Duration
	writer, reader *program                           // reader: nil if there is none
	shown          func(context.Context) (int, error) // how many events of the space that is looked at
	database       string
	due            chan time.Time // of those events, in their order
	took           []float64      // of the running window
	windowsStarted time.Time
}

// run publishes, and looks until everything was shown.
func (w *watch) run(ctx context.Context, length time.Duration) error {
	w.due = make(chan time.Time, int((warmUp+length).Seconds()+1)*looksASecond)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(w.due)
		acknowledged, err := w.publishDue(ctx, w.flow.Rate, length, warmUp, w.due)
		w.flow.AcknowledgedP50, w.flow.AcknowledgedP99 = percentile(acknowledged, 50), percentile(acknowledged, 99)
		return err
	})
	group.Go(func() error { return w.look(ctx) })
	return group.Wait()
}

// publishDue publishes each event when it is due, for a length of time after a first one
// that does not count. When those of the space that is looked at are due goes to looked, if
// somebody looks; how many milliseconds later they were acknowledged is returned.
func (g *ground) publishDue(ctx context.Context, rate int, length, first time.Duration, looked chan<- time.Time) (acknowledged []float64, err error) {
	publisher := stream.NewPublisher(g.js, stream.Patience{})
	began := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for sent, all := 0, int((first+length).Seconds()*float64(rate)); sent < all; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		now := time.Now()
		var messages []stream.Message
		var due []time.Time
		for ; sent < all; sent++ {
			at := began.Add(time.Duration(sent) * time.Second / time.Duration(rate))
			if at.After(now) {
				break
			}
			e := flowing(flowMembers + sent)
			if sent%(rate/looksASecond) == 0 {
				e.Space, e.Source, e.Kind, e.Data.PartySize = lookedAt, lookedAt+"/door", event.CheckIn, 1
				due = append(due, at)
			}
			messages = append(messages, stream.Message{Subject: e.Subject(), Body: e.Encode(nil)})
		}
		for _, at := range due { // a report may show them before the publisher hears that they are stored
			if looked != nil {
				looked <- at
			}
		}
		if err := publisher.PublishBatch(ctx, messages, nil).Err(); err != nil {
			return nil, err
		}
		for _, at := range due {
			if at.Sub(began) >= first {
				acknowledged = append(acknowledged, milliseconds(time.Since(at)))
			}
		}
	}
	return acknowledged, nil
}

// newID is an id with a time in it.
func newID(at time.Time) string {
	id, err := event.NewID(at, rand.Reader)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return id
}

// flowing is the n-th event: everybody comes, and goes the next time.
func flowing(n int) event.Event {
	at := flowTime(n).Truncate(time.Microsecond)
	e := event.Event{
		ID: newID(at), Kind: event.CheckIn, Time: at, Space: space(n % worldSpaces),
		Member: "member-" + strconv.Itoa(n%flowMembers), Data: event.Data{Method: "door", PartySize: 1},
	}
	if n/flowMembers%2 == 1 {
		e.Kind, e.Data.PartySize = event.CheckOut, 0
	}
	e.Source = e.Space + "/door"
	return e
}

// look asks for the report again and again until it has shown every event.
func (w *watch) look(ctx context.Context) error {
	began := time.Now()
	w.windowsStarted = began.Add(warmUp)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	seen, open := 0, true
	var waiting []time.Time
	for open || len(waiting) > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		for more := true; more && open; {
			var at time.Time
			select {
			case at, open = <-w.due:
				if open {
					waiting = append(waiting, at)
				}
			default:
				more = false
			}
		}
		shown, err := w.shown(ctx)
		if err != nil {
			return err
		}
		now := time.Now()
		for ; seen < shown && len(waiting) > 0; seen++ {
			if waiting[0].Sub(began) >= warmUp {
				w.took = append(w.took, milliseconds(now.Sub(waiting[0])))
			}
			waiting = waiting[1:]
		}
		if now.Sub(w.windowsStarted) >= w.per {
			if err := w.end(ctx); err != nil {
				return err
			}
		}
	}
	if len(w.flow.Windows) == 0 || len(w.took) >= looksASecond {
		return w.end(ctx)
	}
	return nil
}

// end ends a window.
func (w *watch) end(ctx context.Context) error {
	size, err := w.count(ctx, "postgres", "select pg_database_size('"+w.database+"')")
	if err != nil {
		return err
	}
	ended := window{
		Seen: len(w.took), P50: percentile(w.took, 50), P99: percentile(w.took, 99), Max: percentile(w.took, 100),
		IngestMiB: float64(w.writer.resident()) / (1 << 20), DatabaseMiB: float64(size) / (1 << 20),
	}
	if w.reader != nil {
		ended.QueryMiB = float64(w.reader.resident()) / (1 << 20)
	}
	w.flow.Windows = append(w.flow.Windows, ended)
	w.took, w.windowsStarted = w.took[:0], time.Now()
	return nil
}

// checkins is the sum of a report's column.
func checkins(body []byte) (sum int, err error) {
	rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil || len(rows) == 0 {
		return 0, fmt.Errorf("reading the report: %w", err)
	}
	for column, name := range rows[0] {
		if name != "checkins" {
			continue
		}
		for _, row := range rows[1:] {
			if row[column] == "" {
				continue
			}
			n, err := strconv.Atoi(row[column])
			if err != nil {
				return 0, fmt.Errorf("reading the report: %w", err)
			}
			sum += n
		}
	}
	return sum, nil
}
