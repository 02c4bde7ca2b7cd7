package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/stream"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"
)

// readsCmd measures how long reports take beside the queries of the system before, as
// plain SQL over the same tokens, at several sizes of history.
type readsCmd struct {
	base

	Tokens []int `default:"100000,1000000" help:"How many one-time tokens there are, each issued and used: two events. The history grows from one size to the next."`
	Times  int   `default:"30" help:"How often each question is asked."`
}

// reading is how long a question took, in milliseconds, at one size.
type reading struct {
	Tokens int    `json:"tokens"`
	Name   string `json:"name"`
	Bytes  int    `json:"bytes"`
	// First is a process's first answer; Changed is one after an event came; Again is
	// the same answer once more.
	First   float64 `json:"first_ms"`
	Changed Spread  `json:"changed_ms"`
	Again   Spread  `json:"again_ms"`
	Old     Spread  `json:"old_ms,omitzero"`  // the old system's query
	Refused bool    `json:"refused,omitzero"` // there was no answer within the time that one may take
}

// Run fills a database, and asks it everything.
func (c *readsCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) error {
	g, err := c.open(ctx, log, always)
	if err != nil {
		return err
	}
	defer g.close()
	r := &reads{readsCmd: c, ground: g, out: out, log: log}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	var all []reading
	for i, tokens := range c.Tokens {
		before := 0
		if i > 0 {
			before = c.Tokens[i-1]
		}
		if err := r.grow(ctx, before, tokens); err != nil {
			return err
		}
		found, err := r.ask(ctx, tokens)
		if err != nil {
			return err
		}
		all = append(all, found...)
	}
	return r.write(all)
}

// reads is a run.
type reads struct {
	*readsCmd

	ground *ground
	out    io.Writer
	log    *zap.Logger
	db     *pgx.Conn // the service's database
	old    *pgx.Conn // the old system's
}

func (r *reads) prepare(ctx context.Context) (err error) {
	if err := r.ground.empty(ctx, r.ground.service(1)); err != nil {
		return err
	}
	if _, err := r.ground.admin.Exec(ctx, "create database old"); err != nil {
		return err
	}
	if r.db, err = r.connect(ctx, "service"); err != nil {
		return err
	}
	if r.old, err = r.connect(ctx, "old"); err != nil {
		return err
	}
	_, err = r.old.Exec(ctx, oldSchemaSQL)
	return err
}

func (r *reads) connect(ctx context.Context, database string) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, r.ground.server.URL(database))
	if err == nil {
		r.ground.closes = append(r.ground.closes, func() { _ = conn.Close(context.WithoutCancel(ctx)) })
	}
	return conn, err
}

// grow adds tokens to both systems: to the new one through the stream, as events.
func (r *reads) grow(ctx context.Context, from, to int) error {
	const chunk = 200_000
	for begin := from; begin < to; begin += chunk {
		end := min(begin+chunk, to)
		made := tokens(begin, end, [2]int{from, to})
		events, err := tokenEvents(made)
		if err != nil {
			return err
		}
		if _, err := r.ground.publish(ctx, events); err != nil {
			return err
		}
		if _, _, err := r.ground.drain(ctx, r.ground.service(1), nil); err != nil {
			return err
		}
		streamed, err := r.ground.js.Stream(ctx, stream.Name)
		if err != nil {
			return err
		}
		if err := streamed.Purge(ctx); err != nil {
			return err
		}
		_, err = r.old.CopyFrom(ctx, pgx.Identifier{"tokens"}, []string{"id", "token", "user_id", "created_at", "used_at"},
			pgx.CopyFromSlice(len(made), func(i int) ([]any, error) {
				t := made[i]
				return []any{t.id, fmt.Sprintf("%08x", t.id), t.user, t.created.UTC(), t.used.UTC()}, nil
			}))
		if err != nil {
			return err
		}
		r.log.Info("filled", zap.Int("tokens", end), zap.Int("of", to))
	}
	for _, conn := range []*pgx.Conn{r.db, r.old} {
		if _, err := conn.Exec(ctx, "vacuum analyze"); err != nil {
			return err
		}
	}
	return nil
}

// ask starts the service and asks it for every report there is, and for the two old
// ones, each beside the old system's query.
func (r *reads) ask(ctx context.Context, tokens int) ([]reading, error) {
	service, err := r.ground.serve(ctx, "service")
	if err != nil {
		return nil, err
	}
	defer func() { _, _ = service.stop() }()
	address := service.address
	reports, err := r.reports(ctx, address)
	if err != nil {
		return nil, err
	}
	questions := []question{
		{"old daily_usage", "/api/reports/daily_usage", oldDailyUsageSQL},
		{"old user_visits", "/api/reports/user_visits", oldUserVisitsSQL},
	}
	for _, name := range reports {
		questions = append(questions, question{name, "/api/v1/reports/" + name + "?from=2026-01-01&to=2026-01-29", ""})
	}
	var all []reading
	for _, q := range questions {
		found, err := r.question(ctx, tokens, q, address)
		if err != nil {
			return nil, err
		}
		all = append(all, *found)
		r.log.Info("asked", zap.Int("tokens", tokens), zap.String("report", q.name), zap.Float64("changed_ms", found.Changed.Median), zap.Float64("again_ms", found.Again.Median))
	}
	return all, nil
}

// question is a report, and the old system's query where there is one.
type question struct{ name, path, old string }

// A question is asked so often, or as long as this, but not less than thrice.
const patience = 15 * time.Second

// question asks one again and again, after an event and without one, side by side:
// whatever the machine does slowly, it does to all.
func (r *reads) question(ctx context.Context, tokens int, q question, address string) (*reading, error) {
	found := &reading{Tokens: tokens, Name: q.name}
	first, body, err := get(ctx, address+q.path)
	if fault.Of(err) == fault.Unavailable {
		found.Refused = true
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	found.First, found.Bytes = first, len(body)
	var changed, again, old []float64
	for began := time.Now(); len(again) < r.Times && (len(again) < 3 || time.Since(began) < patience); {
		if err := r.touch(ctx); err != nil {
			return nil, err
		}
		for _, into := range []*[]float64{&changed, &again} {
			took, _, err := get(ctx, address+q.path)
			if err != nil {
				return nil, err
			}
			*into = append(*into, took)
		}
		if q.old != "" && len(old) < 5 {
			asked := time.Now()
			if _, err := r.old.Exec(ctx, q.old); err != nil {
				return nil, err
			}
			old = append(old, milliseconds(time.Since(asked)))
		}
	}
	found.Changed, found.Again = spread(changed), spread(again)
	if old != nil {
		found.Old = spread(old)
	}
	return found, nil
}

// touch does to versions what an event of the busiest day does.
func (r *reads) touch(ctx context.Context) error {
	_, err := r.db.Exec(ctx, touchSQL)
	return err
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// reports is the names of all reports.
func (r *reads) reports(ctx context.Context, address string) ([]string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/api/v1/reports", nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var listed struct {
		Data []struct {
			Name string `json:"name"`
		} `json:"data"`
	}
	if err := json.NewDecoder(response.Body).Decode(&listed); err != nil {
		return nil, err
	}
	var names []string
	for _, report := range listed.Data {
		names = append(names, report.Name)
	}
	return names, nil
}

func (r *reads) write(all []reading) error {
	var table strings.Builder
	fmt.Fprintf(&table, "Medians of up to %d, in milliseconds; %s\n\n| report | tokens | bytes | first | after an event | again | old query | old ÷ after an event | old ÷ again |\n|---|---|---|---|---|---|---|---|---|\n", r.Times, r.ground.machine)
	slices.SortStableFunc(all, func(a, b reading) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range all {
		if f.Refused {
			fmt.Fprintf(&table, "| %s | %d |  | none |  |  |  |  |  |\n", f.Name, f.Tokens)
			continue
		}
		old, changed, again := "", "", ""
		if f.Old.Median > 0 {
			old = fmt.Sprintf("%.0f", f.Old.Median)
			changed, again = fmt.Sprintf("%.0f", f.Old.Median/f.Changed.Median), fmt.Sprintf("%.0f", f.Old.Median/f.Again.Median)
		}
		fmt.Fprintf(&table, "| %s | %d | %d | %.1f | %.2f | %.2f | %s | %s | %s |\n",
			f.Name, f.Tokens, f.Bytes, f.First, f.Changed.Median, f.Again.Median, old, changed, again)
	}
	return r.keep(r.out, "reads", map[string]any{"machine": r.ground.machine, "readings": all}, table.String())
}
