package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"coworking/pkg/devbroker"
	"coworking/pkg/devpg"
	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/stream"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// base is the flags that every measure has.
type base struct {
	Ingest  string `default:"bin/ingest" help:"The service that writes; 'make build' builds it."`
	Query   string `default:"bin/query" help:"The service that answers; 'make build' builds it."`
	Batch   int    `default:"5000" help:"The most events in one transaction."`
	Results string `default:"bench/results" type:"existingdir" help:"The folder that the figures go to."`
	Readme  string `default:"bench/README.md" type:"existingfile" help:"The document whose tables they replace."`

	databases string // the folder of the Postgres that measures have in turn; "": each has its own
}

// ground is what all contestants work on: one broker, one Postgres.
type ground struct {
	base

	dir    string
	broker *devbroker.Broker
	server *devpg.Server
	js     jetstream.JetStream
	admin  *pgx.Conn
	closes []func()

	patience stream.Patience // of who publishes; none where that is measured

	machine Machine
}

// When the broker syncs what it stores: at each write, before it acknowledges, or every
// two minutes, which is its default.
const (
	always   = "always"
	interval = "interval"
)

func (b base) open(ctx context.Context, log *zap.Logger, sync string) (*ground, error) {
	return b.openIn(ctx, log, sync, b.databases)
}

// openIn is open with the databases in a folder, where those of another time are found
// again; "" is one that goes with the ground.
func (b base) openIn(ctx context.Context, log *zap.Logger, sync, databases string) (_ *ground, err error) {
	for _, program := range []string{b.Ingest, b.Query} {
		if _, err := os.Stat(program); err != nil {
			return nil, fault.Invalid.Errorf("there is no %s; `make build` builds it, from the root of the repository", program)
		}
	}
	g := &ground{base: b}
	defer func() {
		if err != nil {
			g.close()
		}
	}()
	if g.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return nil, err
	}
	own := filepath.Join(g.dir, "postgres")
	g.closes = append(g.closes, func() {
		_ = os.RemoveAll(devpg.Real(own)) // root's are elsewhere
		_ = os.RemoveAll(g.dir)
	})
	if g.server, err = devpg.Start(ctx, devpg.Config{Dir: cmp.Or(databases, own), Progress: os.Stderr}); err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	g.closes = append(g.closes, g.server.Stop)
	if g.admin, err = pgx.Connect(ctx, g.server.URL("postgres")); err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	g.closes = append(g.closes, func() { _ = g.admin.Close(context.WithoutCancel(ctx)) })
	g.broker, err = devbroker.Start(devbroker.Config{Dir: filepath.Join(g.dir, "broker"), Addr: "127.0.0.1:0", SyncAlways: sync == always})
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	g.closes = append(g.closes, g.broker.Close)
	connection, js, err := stream.Connect(g.broker.URL(), "bench", log)
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	g.js = js
	g.closes = append(g.closes, connection.Close)
	settings, err := g.postgresSettings(ctx)
	if err != nil {
		return nil, err
	}
	g.machine = newMachine(settings, sync)
	return g, g.setup(ctx, 1)
}

func (g *ground) close() {
	for _, closing := range slices.Backward(g.closes) {
		closing()
	}
}

// setup makes the stream, and the service's durables anew if they are gone.
func (g *ground) setup(ctx context.Context, partitions int) error {
	return g.command(ctx, g.Ingest, "setup", "--nats-url", g.broker.URL(), "--max-bytes", "4294967296",
		"--partitions", strconv.Itoa(partitions), "--max-ack-pending", strconv.Itoa(4*g.Batch))
}

// command runs a program to its end; its output is in the error.
func (g *ground) command(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, args[0], err, out)
	}
	return nil
}

// postgresSettings is what its durability and its speed rest on.
func (g *ground) postgresSettings(ctx context.Context) (map[string]string, error) {
	settings := map[string]string{}
	for _, name := range []string{"server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size"} {
		var value string
		if err := g.admin.QueryRow(ctx, "show "+name).Scan(&value); err != nil {
			return nil, fmt.Errorf("show %s: %w", name, err)
		}
		settings[name] = value
	}
	return settings, nil
}

// publish sends events through the stream's own publisher and returns how many a
// second the broker acknowledged.
func (g *ground) publish(ctx context.Context, events []event.Event) (float64, error) {
	messages := make([]stream.Message, len(events))
	for i := range events {
		messages[i] = stream.Message{Subject: events[i].Subject(), Body: events[i].Encode(nil)}
	}
	began := time.Now()
	if err := stream.NewPublisher(g.js, g.patience).PublishBatch(ctx, messages, nil).Err(); err != nil {
		return 0, fmt.Errorf("publishing: %w", err)
	}
	return float64(len(events)) / time.Since(began).Seconds(), nil
}

// empty gives a contestant a stream and a database with nothing in them.
func (g *ground) empty(ctx context.Context, c contestant) error {
	if err := g.js.DeleteStream(ctx, stream.Name); err != nil { // its number of partitions stays for good
		return err
	}
	if err := g.setup(ctx, max(1, c.workers)); err != nil {
		return err
	}
	if err := g.create(ctx, c.name); err != nil {
		return err
	}
	return c.prepare(ctx, g.server.URL(c.name))
}

// create makes a database anew.
func (g *ground) create(ctx context.Context, database string) error {
	for _, statement := range []string{"drop database if exists " + database, "create database " + database} {
		if _, err := g.admin.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// count asks a contestant's database for a number.
func (g *ground) count(ctx context.Context, database, query string) (n int, err error) {
	db, err := pgx.Connect(ctx, g.server.URL(database))
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close(ctx) }()
	err = db.QueryRow(ctx, query).Scan(&n)
	return n, err
}

// breakIn gives Postgres files of its log to use again, as one has that has run for a
// while: a new one is filled with zeros and synced while everybody waits.
func (g *ground) breakIn(ctx context.Context) error {
	const files = 8
	for range files {
		if _, err := g.admin.Exec(ctx, "select pg_logical_emit_message(true, 'bench', 'a file ends here'), pg_switch_wal()"); err != nil {
			return err
		}
	}
	_, err := g.admin.Exec(ctx, "checkpoint")
	return err
}

func (g *ground) walWritten(ctx context.Context) (bytes int64, err error) {
	err = g.admin.QueryRow(ctx, "select (pg_current_wal_insert_lsn() - '0/0')::int8").Scan(&bytes)
	return bytes, err
}
