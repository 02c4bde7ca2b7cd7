package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"coworking/migrations/apply"
	"coworking/pkg/calendar"
	"coworking/pkg/fault"
	"coworking/pkg/pg"
	"coworking/pkg/stream"
	"coworking/services/ingest/internal/consume"
	"coworking/services/ingest/internal/store"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
)

// rangeFlags are which space-days a verb looks at.
type rangeFlags struct {
	Space []string `help:"Only this space; may be said more than once." placeholder:"NAME"`
	From  string   `help:"Only from this visit day on, such as 2026-03-01." placeholder:"DATE"`
	To    string   `help:"Only before this visit day." placeholder:"DATE"`
}

func (f rangeFlags) dates() (store.Range, error) {
	r := store.Range{Spaces: f.Space}
	for _, bound := range []struct {
		flag, text string
		date       **calendar.Date
	}{{"--from", f.From, &r.From}, {"--to", f.To, &r.To}} {
		if bound.text == "" {
			continue
		}
		date, err := calendar.ParseDate(bound.text)
		if err != nil {
			return r, fault.Invalid.Errorf("%s: %w", bound.flag, err)
		}
		*bound.date = &date
	}
	return r, nil
}

// whole says whether they leave nothing out.
func (f rangeFlags) whole() bool { return len(f.Space) == 0 && f.From == "" && f.To == "" }

// openOnce is the store for a verb that does one thing and ends.
func openOnce(ctx context.Context, u pg.URL, name string) (*store.Store, *pgxpool.Pool, error) {
	pool, err := openDatabase(ctx, u, name, 1, onceTimeout, nil)
	if err != nil {
		return nil, nil, err
	}
	if err = apply.Check(ctx, pool); err == nil {
		var kept *store.Store
		if kept, err = store.New(ctx, pool); err == nil {
			return kept, pool, nil
		}
	}
	pool.Close()
	return nil, nil, err
}

// progress draws how far a long piece of work is, on one line, at most ten times a
// second.
func progress(out io.Writer, what string) func(done, all int) {
	var last time.Time
	return func(done, all int) {
		if now := time.Now(); now.Sub(last) >= 100*time.Millisecond || done == all {
			last = now
			fmt.Fprintf(out, "\r%s: %d of %d", what, done, all)
			if done == all {
				fmt.Fprintln(out)
			}
		}
	}
}

// verifyCmd is `ingest verify`: the proof that rollups, events and stream agree.
type verifyCmd struct {
	DatabaseURL pg.URL     `required:"" env:"DATABASE_URL" help:"Where events and rollups are kept."`
	NATSURL     string     `name:"nats-url" required:"" env:"NATS_URL" help:"The broker that the events came through."`
	Partitions  int        `default:"1" env:"PARTITIONS" help:"How many partitions 'ingest setup' gave the stream."`
	Range       rangeFlags `embed:""`
	Fix         bool       `help:"Recompute the space-days that differ from their events, and only these."`
	Quiet       bool       `short:"q" help:"Say nothing of how far it is."`

	Credentials stream.Credentials `embed:""`
}

// Help goes below the flags.
func (verifyCmd) Help() string {
	return `Derives every space-day again from its events, beside what is there, and compares row by row; checks that each event's key is what its identity makes it; and that every message of the stream that was answered for is stored or buried. Ingestion goes on meanwhile.

The report is JSON on standard output, and kept in verify_results, where the last one decides what ingest_verify_equal shows; that a part of the space-days is as it should be says nothing of the others, and is not kept.
Exit code 0: all is equal. 1: something differs. 2: it could not run.`
}

// verification is the report.
type verification struct {
	Started  time.Time      `json:"started"`
	Finished time.Time      `json:"finished"`
	Equal    bool           `json:"equal"`
	Rollups  store.Verified `json:"rollups"`
	Stream   streamReport   `json:"stream"`
	Fixed    int            `json:"fixed_space_days"`
}

type streamReport struct {
	Partitions []partitionReport `json:"partitions"`
}

type partitionReport struct {
	Partition   int     `json:"partition"`
	Through     uint64  `json:"through_sequence"` // checked up to here
	Messages    int     `json:"messages"`
	Unaccounted []int64 `json:"unaccounted"` // sequences that are neither stored nor buried
}

// exitError is an error with an exit code of its own.
type exitError struct {
	error
	code int
}

func (e exitError) ExitCode() int { return e.code }

func (e exitError) Unwrap() error { return e.error }

// Run verifies.
func (c *verifyCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) error {
	report, err := c.verify(ctx, log, os.Stderr)
	if err != nil {
		return exitError{err, 2}
	}
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return exitError{err, 2}
	}
	fmt.Fprintln(out, string(text))
	if !report.Equal {
		return exitError{errors.New("not equal: the report says where"), 1}
	}
	return nil
}

func (c *verifyCmd) verify(ctx context.Context, log *zap.Logger, messages io.Writer) (report verification, err error) {
	if c.Quiet {
		messages = io.Discard
	}
	r, err := c.Range.dates()
	if err != nil {
		return report, err
	}
	kept, pool, err := openOnce(ctx, c.DatabaseURL, "ingest verify")
	if err != nil {
		return report, err
	}
	defer pool.Close()
	report.Started = time.Now().UTC()
	if report.Stream, err = c.account(ctx, log, kept, messages); err != nil {
		return report, err
	}
	if report.Rollups, err = kept.VerifyRollups(ctx, r, progress(messages, "space-days")); err != nil {
		return report, err
	}
	report.Equal = len(report.Rollups.Differences) == 0
	for _, p := range report.Stream.Partitions {
		report.Equal = report.Equal && len(p.Unaccounted) == 0
	}
	if c.Fix {
		if report.Fixed, err = kept.Fix(ctx, report.Rollups.Differences); err != nil {
			return report, err
		}
	}
	report.Finished = time.Now().UTC()
	if report.Equal && !c.Range.whole() {
		return report, nil // kept, it would take back what was found elsewhere
	}
	text, err := json.Marshal(report)
	if err != nil {
		return report, err
	}
	return report, kept.KeepVerification(ctx, report.Started, report.Finished, report.Equal, text)
}

// account looks each answered message of the stream up in the database.
func (c *verifyCmd) account(ctx context.Context, log *zap.Logger, kept *store.Store, messages io.Writer) (report streamReport, err error) {
	conn, js, err := c.Credentials.Connect(c.NATSURL, "ingest verify", log)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, stream.Close(conn)) }()
	for partition := range c.Partitions {
		bound, err := stream.Bind(ctx, js, stream.Config{Partitions: c.Partitions}, partition)
		if err != nil {
			return report, err
		}
		p := partitionReport{Partition: partition, Unaccounted: []int64{}}
		if p.Through, _, err = bound.Settled(ctx); err != nil {
			return report, err
		}
		var batch []store.Incoming
		look := func() error {
			lost, err := kept.Unaccounted(ctx, batch)
			p.Unaccounted = append(p.Unaccounted, lost...)
			batch = batch[:0]
			return err
		}
		say := progress(messages, fmt.Sprintf("partition %d", partition))
		err = bound.Each(ctx, p.Through, func(m stream.Stored) error {
			p.Messages++
			batch = append(batch, consume.Decode(store.Incoming{
				Subject: m.Subject, Body: m.Body, Stream: bound.Created, Sequence: m.Sequence, Received: m.Received,
			}))
			if len(batch) < 5000 {
				return nil
			}
			say(int(m.Sequence), int(p.Through))
			return look()
		})
		if err != nil {
			return report, err
		}
		if err := look(); err != nil {
			return report, err
		}
		say(int(p.Through), int(p.Through))
		report.Partitions = append(report.Partitions, p)
	}
	return report, nil
}
