package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"coworking/pkg/event"

	"coworking/pkg/stream"

	"github.com/nats-io/nats.go/jetstream"
)

// contestant is a program that stores what is in the stream.
type contestant struct {
	name      string   // also of its database
	consumers []string // its durables
	prepare   func(ctx context.Context, database string) error
	command   func(database string) *exec.Cmd
	stored    string // counts what it stored
	left      string // counts what it still has to do when all is stored
	share     int    // of the events that the others store: one in so many
	workers   int    // of the service
}

// service is the program that this is about, with a worker for each partition.
func (g *ground) service(workers int) contestant {
	c := contestant{
		name: "service", share: 1, workers: workers,
		stored: "select count(*) from events", left: "select count(*) from refile",
		prepare: func(ctx context.Context, database string) error {
			return g.command(ctx, g.Ingest, "migrate", "up", "--database-url", database)
		},
		command: func(database string) *exec.Cmd { return g.ingest(database, workers, "127.0.0.1:0") },
	}
	for partition := range workers {
		c.consumers = append(c.consumers, stream.Durable(partition))
	}
	return c
}

// ingest is the command that runs the service's writing half.
func (g *ground) ingest(database string, workers int, address string) *exec.Cmd {
	return exec.Command(g.Ingest, "run", "--database-url", database, "--nats-url", g.broker.URL(),
		"--partitions", strconv.Itoa(workers), "--batch-size", strconv.Itoa(g.Batch), "--intake-addr", address)
}

// ceiling is the simple program that the service is measured beside, alone the same
// with a transaction for each event, and eager the same that waits for nothing.
func (g *ground) ceiling() contestant { return g.simple("ceiling", g.Batch, 1) }
func (g *ground) eager() contestant   { return g.simple("eager", g.Batch, 1, "--eager") }
func (g *ground) alone() contestant   { return g.simple("alone", 1, 20) }

func (g *ground) simple(name string, batch, share int, flags ...string) contestant {
	return contestant{
		name: name, consumers: []string{ceilingConsumer}, share: share,
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
			return exec.Command(self, append([]string{
				"ceiling", "--database-url", database, "--nats-url", g.broker.URL(), "--batch-size", strconv.Itoa(batch),
			}, flags...)...)
		},
	}
}

// task is what contestants are given to store: events that lie in the stream when
// they begin, or that come while they store them.
type task struct {
	events []event.Event
	live   bool
}

// measure lets a contestant store what it is given, into a database of its own:
// first what the spaces say of themselves, which is not measured, then all that
// happens in them.
func (g *ground) measure(ctx context.Context, c contestant, t task) (Run, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	said, err := places()
	if err != nil {
		return Run{}, err
	}
	happened := t.events[:len(t.events)/c.share]
	if err := g.empty(ctx, c); err != nil {
		return Run{}, err
	}
	if _, err := g.publish(ctx, said); err != nil {
		return Run{}, err
	}
	if _, _, err := g.drain(ctx, c, nil); err != nil {
		return Run{}, err
	}

	coming := pieces(nil)
	published := 0.0
	if t.live {
		coming = whole(happened)
	} else if published, err = g.publish(ctx, happened); err != nil {
		return Run{}, err
	}
	if _, err := g.admin.Exec(ctx, "checkpoint"); err != nil {
		return Run{}, err
	}
	before, err := g.walWritten(ctx)
	if err != nil {
		return Run{}, err
	}
	took, used, err := g.drain(ctx, c, coming)
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
	events := float64(len(happened))
	return Run{
		Name: c.name, Seconds: took.Seconds(), EventsPerSecond: events / took.Seconds(), PublishedPerSecond: published,
		CPUMicrosecondsPerEvent: used.CPU.Seconds() * 1e6 / events, WALBytesPerEvent: float64(after-before) / events,
		MemoryMiB: float64(used.Memory) / (1 << 20),
	}, nil
}

// drain runs a contestant until it has stored what is in the stream, and what comes
// meanwhile, and stops it: how long that took, and what the program used.
func (g *ground) drain(ctx context.Context, c contestant, coming pieces) (took time.Duration, used usage, err error) {
	progress, err := g.follow(ctx, c.consumers)
	if err != nil {
		return 0, usage{}, err
	}
	running, err := start(c.command(g.server.URL(c.name)))
	if err != nil {
		return 0, usage{}, err
	}
	publishing, stop := context.WithCancel(ctx)
	defer stop()
	published := make(chan error, 1)
	go func() { published <- g.keepAhead(publishing, coming, progress) }()
	if took, err = progress.drained(ctx, published, running.exited); err == nil {
		err = g.finished(ctx, c)
	}
	if err != nil {
		return 0, usage{}, running.abandon(err)
	}
	used, err = running.stop()
	return took, used, err
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
