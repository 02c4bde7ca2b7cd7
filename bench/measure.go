package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"coworking/pkg/stream"

	"github.com/nats-io/nats.go/jetstream"
)

// contestant is a program that stores what is in the stream.
type contestant struct {
	name     string // also of its database
	consumer string // its durable
	prepare  func(ctx context.Context, database string) error
	command  func(database string) *exec.Cmd
	stored   string // counts what it stored
	left     string // counts what it still has to do when all is stored
}

func (g *ground) service() contestant {
	return contestant{
		name: "service", consumer: stream.Durable(0),
		stored: "select count(*) from events", left: "select count(*) from refile",
		prepare: func(ctx context.Context, database string) error {
			if err := g.command(ctx, g.Ingest, "migrate", "up", "--database-url", database); err != nil {
				return err
			}
			return g.setup(ctx)
		},
		command: func(database string) *exec.Cmd {
			return exec.Command(g.Ingest, "run", "--database-url", database, "--nats-url", g.broker.URL(),
				"--batch-size", strconv.Itoa(g.Batch), "--intake-addr", "127.0.0.1:0")
		},
	}
}

func (g *ground) ceiling() contestant {
	return contestant{
		name: "ceiling", consumer: ceilingConsumer,
		stored: "select count(*) from ceiling_events", left: "select 0",
		prepare: func(ctx context.Context, _ string) error {
			_, err := g.js.CreateConsumer(ctx, stream.Name, jetstream.ConsumerConfig{
				Durable: ceilingConsumer, AckPolicy: jetstream.AckAllPolicy, MaxAckPending: stream.DefaultMaxAckPending,
			})
			return err
		},
		command: func(database string) *exec.Cmd {
			self, err := os.Executable()
			if err != nil {
				self = os.Args[0]
			}
			return exec.Command(self, "ceiling", "--database-url", database, "--nats-url", g.broker.URL(), "--batch-size", strconv.Itoa(g.Batch))
		},
	}
}

// measure lets a contestant store what it is given, into a database of its own:
// first what the spaces say of themselves, which is not measured, then all that
// happens in them.
func (g *ground) measure(ctx context.Context, c contestant) (Run, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	said, err := places()
	if err != nil {
		return Run{}, err
	}
	happened, err := world(g.Events)
	if err != nil {
		return Run{}, err
	}
	if err := g.empty(ctx, c); err != nil {
		return Run{}, err
	}
	if _, err := g.publish(ctx, said); err != nil {
		return Run{}, err
	}
	if _, _, err := g.drain(ctx, c); err != nil {
		return Run{}, err
	}

	published, err := g.publish(ctx, happened)
	if err != nil {
		return Run{}, err
	}
	if _, err := g.admin.Exec(ctx, "checkpoint"); err != nil {
		return Run{}, err
	}
	before, err := g.walWritten(ctx)
	if err != nil {
		return Run{}, err
	}
	took, used, err := g.drain(ctx, c)
	if err != nil {
		return Run{}, err
	}
	after, err := g.walWritten(ctx)
	if err != nil {
		return Run{}, err
	}
	stored, err := g.count(ctx, c.name, c.stored)
	if err != nil {
		return Run{}, err
	}
	if all := len(said) + len(happened); stored != all {
		return Run{}, fmt.Errorf("%d events were published, %d are stored", all, stored)
	}
	events := float64(g.Events)
	return Run{
		Name: c.name, Seconds: took.Seconds(), EventsPerSecond: events / took.Seconds(), PublishedPerSecond: published,
		CPUMicrosecondsPerEvent: used.Seconds() * 1e6 / events, WALBytesPerEvent: float64(after-before) / events,
	}, nil
}

// drain runs a contestant until it has stored what is in the stream, and stops it:
// how long that took, and how much of a core the program used.
func (g *ground) drain(ctx context.Context, c contestant) (took, used time.Duration, err error) {
	consumer, err := g.js.Consumer(ctx, stream.Name, c.consumer)
	if err != nil {
		return 0, 0, err
	}
	program := c.command(g.server.URL(c.name))
	var output bytes.Buffer
	program.Stdout, program.Stderr = &output, &output
	if err := program.Start(); err != nil {
		return 0, 0, err
	}
	exited := make(chan error, 1)
	go func() { exited <- program.Wait() }()
	if took, err = drained(ctx, consumer, exited); err == nil {
		err = g.finished(ctx, c)
	}
	if err != nil {
		_ = program.Process.Kill()
		return 0, 0, fmt.Errorf("%w\n%s", err, output.String())
	}
	if err := program.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, 0, err
	}
	if err := <-exited; err != nil {
		return 0, 0, fmt.Errorf("stopping: %w\n%s", err, output.String())
	}
	return took, program.ProcessState.UserTime() + program.ProcessState.SystemTime(), nil
}

// drained waits until everything was acknowledged, and returns how long that took
// from the first delivery. Both contestants acknowledge after their commit, so the
// broker is the one clock for both.
func drained(ctx context.Context, consumer jetstream.Consumer, exited <-chan error) (time.Duration, error) {
	deliveredBefore := consumer.CachedInfo().Delivered.Consumer
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
		if began.IsZero() && info.Delivered.Consumer > deliveredBefore {
			began = time.Now()
		}
		if !began.IsZero() && info.NumPending == 0 && info.NumAckPending == 0 {
			return time.Since(began), nil
		}
	}
}

// finished waits until a contestant has nothing left to do.
func (g *ground) finished(ctx context.Context, c contestant) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		left, err := g.count(ctx, c.name, c.left)
		if err != nil || left == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d left to do: %w", left, ctx.Err())
		case <-tick.C:
		}
	}
}
