package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"coworking/pkg/devbroker"
	"coworking/pkg/devpg"
	"coworking/pkg/stream"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// drainCmd publishes events once, then lets the service and the ceiling store them
// in turn, round after round, each into a fresh database.
type drainCmd struct {
	Events  int    `default:"100000" help:"How many events are published and stored."`
	Rounds  int    `default:"3" help:"How often each stores them."`
	Batch   int    `default:"5000" help:"The most events in one transaction."`
	Ingest  string `default:"bin/ingest" type:"existingfile" help:"The service's binary."`
	Results string `default:"bench/results.json" help:"Where the figures go."`
	Readme  string `default:"bench/README.md" help:"The document whose table they replace."`
}

// Run measures, and writes what it found.
func (c *drainCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) error {
	bench, err := c.open(ctx, log)
	if err != nil {
		return err
	}
	defer bench.close()
	results := Results{
		Machine: fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
		Go:      runtime.Version(), Events: c.Events, Batch: c.Batch, Measured: time.Now().UTC().Truncate(time.Second),
	}
	if results.Postgres, err = bench.postgresSettings(ctx); err != nil {
		return err
	}
	if results.PublishedPerSecond, err = bench.publish(ctx, c.Events); err != nil {
		return err
	}
	contestants := []contestant{bench.ceiling(), bench.service()}
	for round := range c.Rounds {
		// Who begins alternates: whatever the machine does slowly, it does to both.
		for i := range contestants {
			contestant := contestants[(round+i)%len(contestants)]
			run, err := bench.measure(ctx, contestant)
			if err != nil {
				return fmt.Errorf("%s: %w", contestant.name, err)
			}
			run.Round = round + 1
			results.Runs = append(results.Runs, run)
			fmt.Fprintf(os.Stderr, "round %d: %-8s %8.0f events/s\n", run.Round, run.Name, run.EventsPerSecond)
		}
	}
	results.compare()
	return results.write(out, c.Results, c.Readme)
}

// bench is what both contestants work on: one broker, one Postgres.
type bench struct {
	*drainCmd

	dir    string
	broker *devbroker.Broker
	server *devpg.Server
	js     jetstream.JetStream
	admin  *pgx.Conn
	closes []func()
}

func (c *drainCmd) open(ctx context.Context, log *zap.Logger) (_ *bench, err error) {
	b := &bench{drainCmd: c}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if b.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return nil, err
	}
	b.closes = append(b.closes, func() { _ = os.RemoveAll(b.dir) })
	if b.server, err = devpg.Start(ctx, devpg.Config{Dir: filepath.Join(b.dir, "postgres")}); err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	b.closes = append(b.closes, b.server.Stop)
	if b.admin, err = pgx.Connect(ctx, b.server.URL("postgres")); err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	b.closes = append(b.closes, func() { _ = b.admin.Close(context.Background()) })
	b.broker, err = devbroker.Start(devbroker.Config{Dir: filepath.Join(b.dir, "broker"), Addr: "127.0.0.1:0", SyncAlways: true})
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	b.closes = append(b.closes, b.broker.Close)
	connection, js, err := stream.Connect(b.broker.URL(), "bench", log)
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	b.js = js
	b.closes = append(b.closes, connection.Close)
	return b, b.setup(ctx)
}

func (b *bench) close() {
	for i := len(b.closes) - 1; i >= 0; i-- {
		b.closes[i]()
	}
}

// setup makes the stream, and the service's durable anew if it is gone.
func (b *bench) setup(ctx context.Context) error {
	return b.command(ctx, b.Ingest, "setup", "--nats-url", b.broker.URL(), "--max-bytes", "2147483648")
}

// command runs a program to its end; its output is in the error.
func (b *bench) command(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, args[0], err, out)
	}
	return nil
}

// postgresSettings says what the figures were measured on.
func (b *bench) postgresSettings(ctx context.Context) (map[string]string, error) {
	settings := map[string]string{}
	for _, name := range []string{"server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size"} {
		var value string
		if err := b.admin.QueryRow(ctx, "show "+name).Scan(&value); err != nil {
			return nil, fmt.Errorf("show %s: %w", name, err)
		}
		settings[name] = value
	}
	return settings, nil
}

// publish sends the world through the stream's own publisher and returns how many
// events a second the broker acknowledged.
func (b *bench) publish(ctx context.Context, n int) (float64, error) {
	events, err := world(n)
	if err != nil {
		return 0, err
	}
	messages := make([]stream.Message, n)
	for i := range events {
		messages[i] = stream.Message{Subject: events[i].Subject(), Body: events[i].Encode(nil)}
	}
	began := time.Now()
	if err := stream.NewPublisher(b.js, stream.Patience{}).PublishBatch(ctx, messages, nil).Err(); err != nil {
		return 0, fmt.Errorf("publishing: %w", err)
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

// contestant is a program that stores what is in the stream.
type contestant struct {
	name     string
	consumer string // its durable
	prepare  func(ctx context.Context, database string) error
	command  func(database string) *exec.Cmd
	stored   string // counts what it stored
}

func (b *bench) service() contestant {
	return contestant{
		name: "service", consumer: stream.Durable(0), stored: "select count(*) from events",
		prepare: func(ctx context.Context, database string) error {
			if err := b.command(ctx, b.Ingest, "migrate", "up", "--database-url", database); err != nil {
				return err
			}
			return b.setup(ctx)
		},
		command: func(database string) *exec.Cmd {
			return exec.Command(b.Ingest, "run", "--database-url", database, "--nats-url", b.broker.URL(),
				"--batch-size", fmt.Sprint(b.Batch), "--intake-addr", "127.0.0.1:0")
		},
	}
}

func (b *bench) ceiling() contestant {
	return contestant{
		name: "ceiling", consumer: ceilingConsumer, stored: "select count(*) from ceiling_events",
		prepare: func(ctx context.Context, _ string) error {
			_, err := b.js.CreateConsumer(ctx, stream.Name, jetstream.ConsumerConfig{
				Durable: ceilingConsumer, AckPolicy: jetstream.AckAllPolicy, MaxAckPending: 10 * b.Batch,
			})
			return err
		},
		command: func(database string) *exec.Cmd {
			self, err := os.Executable()
			if err != nil {
				panic(err)
			}
			return exec.Command(self, "ceiling", "--database-url", database, "--nats-url", b.broker.URL(), "--batch-size", fmt.Sprint(b.Batch))
		},
	}
}

// measure lets a contestant store the whole stream once, from its beginning, into
// a database of its own.
func (b *bench) measure(ctx context.Context, c contestant) (Run, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	if err := b.js.DeleteConsumer(ctx, stream.Name, c.consumer); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return Run{}, err
	}
	database := b.server.URL(c.name)
	for _, statement := range []string{"drop database if exists " + c.name, "create database " + c.name, "checkpoint"} {
		if _, err := b.admin.Exec(ctx, statement); err != nil {
			return Run{}, fmt.Errorf("%s: %w", statement, err)
		}
	}
	if err := c.prepare(ctx, database); err != nil {
		return Run{}, err
	}
	before, err := b.walWritten(ctx)
	if err != nil {
		return Run{}, err
	}

	child := c.command(database)
	var output bytes.Buffer
	child.Stdout, child.Stderr = &output, &output
	if err := child.Start(); err != nil {
		return Run{}, err
	}
	exited := make(chan error, 1)
	go func() { exited <- child.Wait() }()
	took, err := b.drained(ctx, c.consumer, exited)
	if err != nil {
		_ = child.Process.Kill()
		return Run{}, fmt.Errorf("%w\n%s", err, output.String())
	}
	after, err := b.walWritten(ctx)
	if err != nil {
		return Run{}, err
	}
	if err := child.Process.Signal(syscall.SIGTERM); err != nil {
		return Run{}, err
	}
	if err := <-exited; err != nil {
		return Run{}, fmt.Errorf("stopping: %w\n%s", err, output.String())
	}
	if err := b.complete(ctx, database, c.stored); err != nil {
		return Run{}, err
	}
	events := float64(b.Events)
	used := child.ProcessState.UserTime() + child.ProcessState.SystemTime()
	return Run{
		Name: c.name, Seconds: took.Seconds(), EventsPerSecond: events / took.Seconds(),
		CPUMicrosecondsPerEvent: used.Seconds() * 1e6 / events, WALBytesPerEvent: float64(after-before) / events,
	}, nil
}

// drained waits until everything was acknowledged, and returns how long that took
// from the first delivery. Both contestants acknowledge after their commit, so the
// broker is the one clock for both.
func (b *bench) drained(ctx context.Context, durable string, exited <-chan error) (time.Duration, error) {
	consumer, err := b.js.Consumer(ctx, stream.Name, durable)
	if err != nil {
		return 0, err
	}
	var began time.Time
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case err := <-exited:
			return 0, fmt.Errorf("it ended before all was stored: %w", err)
		case <-tick.C:
		}
		info, err := consumer.Info(ctx)
		if err != nil {
			return 0, err
		}
		if began.IsZero() && info.Delivered.Consumer > 0 {
			began = time.Now()
		}
		if !began.IsZero() && info.NumPending == 0 && info.NumAckPending == 0 {
			return time.Since(began), nil
		}
	}
}

// complete makes sure that the figure is one of events that are there.
func (b *bench) complete(ctx context.Context, database, query string) error {
	db, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close(ctx) }()
	var stored int
	if err := db.QueryRow(ctx, query).Scan(&stored); err != nil {
		return err
	}
	if stored != b.Events {
		return fmt.Errorf("%d events were published, %d are stored", b.Events, stored)
	}
	return nil
}

func (b *bench) walWritten(ctx context.Context) (bytes int64, err error) {
	err = b.admin.QueryRow(ctx, "select (pg_current_wal_insert_lsn() - '0/0')::int8").Scan(&bytes)
	return bytes, err
}
