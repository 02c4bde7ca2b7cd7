package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"coworking/cmd/coworking/internal/picture"
	"coworking/cmd/coworking/internal/progress"
	"coworking/cmd/coworking/internal/simulate"
	"coworking/cmd/coworking/internal/system"
	"coworking/cmd/coworking/internal/upload"
	"coworking/pkg/devpg"
	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/stream"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// quarter is how much history the demo has.
const quarter = 13 * 7 * 24 * time.Hour

// demoCmd is `coworking demo`.
type demoCmd struct {
	addresses

	Seed    uint64  `default:"1" help:"Another seed, other people (${default})."`
	Spaces  int     `default:"3" help:"How many spaces, in different time zones (${default})."`
	Members int     `default:"1000" help:"How many members, in all spaces together (${default})."`
	Rate    float64 `default:"2" help:"Events a second, once the history is in (${default})."`
}

// Help is kong's: what the verb's flags do not say.
func (demoCmd) Help() string {
	return `Starts the whole system in a temporary folder, publishes a quarter of a year of made-up check-ins, shows what ` +
		`the reports make of them, and goes on with live traffic. Ctrl-C stops it and removes the folder.

Examples:

    coworking demo

    coworking demo --spaces 8 --members 3000 --query-addr 127.0.0.1:8080
`
}

// Run shows the system until it is stopped.
func (c *demoCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) error {
	if c.Rate <= 0 {
		return fault.Invalid.Errorf("--rate %v: a rate is more than 0", c.Rate)
	}
	sweep()
	dir, err := os.MkdirTemp("", demoFolder)
	if err != nil {
		return fault.Internal.Errorf("a folder for the demo: %w", err)
	}
	defer remove(dir)
	if err := os.Chmod(dir, 0o711); err != nil { // started by root, Postgres runs as somebody else, who has to pass
		return fault.Internal.Errorf("a folder for the demo: %w", err)
	}
	return system.Run(ctx, c.config(dir), func(ctx context.Context, running system.Running) error {
		return stopped(ctx, c.show(ctx, log, out, running))
	})
}

// demoFolder is what the name of a demo's folder begins with.
const demoFolder = "coworking-demo-"

// sweep removes the folders of demos that were killed.
func sweep() {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), demoFolder+"*")) // the pattern is well formed
	for _, dir := range left {
		if system.Abandoned(dir) {
			remove(dir)
		}
	}
}

// remove removes a demo's folder, and its database, which is elsewhere where root's
// folders are closed to others.
func remove(dir string) {
	_ = os.RemoveAll(devpg.Real(filepath.Join(dir, "postgres")))
	_ = os.RemoveAll(dir)
}

// show fills the system, shows it, and keeps it busy.
func (c *demoCmd) show(ctx context.Context, log *zap.Logger, out io.Writer, running system.Running) (err error) {
	now := time.Now()
	world, err := simulate.New(simulate.Config{Seed: c.Seed, Spaces: c.Spaces, Members: c.Members, From: now.Add(-quarter), To: now})
	if err != nil {
		return err
	}
	js, disconnect, err := broker{NATSURL: running.NATSURL}.connect(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, disconnect()) }()
	if err := fill(ctx, js, world); err != nil {
		return err
	}
	if err := counted(ctx, js); err != nil {
		return err
	}
	say(fmt.Sprintf("a quarter of a year was made up, published and counted in %.0f s\n", time.Since(now).Seconds()))
	if err := picture.Draw(ctx, out, running.QueryURL(), world.Spaces(), now); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `
Open     %[1]s
         %[1]s/api/v1/reports/daily_usage?space=%[2]s
Publish  coworking publish --nats-url %[3]s FILE
Now      %[4]v events a second, until Ctrl-C

`, running.QueryURL(), world.Spaces()[0], running.NATSURL, c.Rate)
	if err != nil {
		return fault.Internal.Errorf("drawing a picture: %w", err)
	}
	account := upload.New(publisher(js))
	put := func(e event.Event) error { return account.Event(ctx, "now", &e) }
	return inTime(ctx, goingOn(world), c.Rate, put, func() error { return account.Flush(ctx) })
}

// fill publishes the history.
func fill(ctx context.Context, js jetstream.JetStream, world *simulate.World) error {
	bar := progress.New(os.Stderr, "publishing", 0)
	defer bar.Done()
	account := upload.New(publisher(js))
	for e := range world.History() {
		if err := account.Event(ctx, "event "+e.ID, &e); err != nil {
			return err
		}
		bar.Add(1)
	}
	if err := account.Flush(ctx); err != nil {
		return err
	}
	return account.Err()
}

// counted waits until all that the stream holds is in the reports.
func counted(ctx context.Context, js jetstream.JetStream) error {
	durable, err := js.Consumer(ctx, stream.Name, stream.Durable(0))
	if err != nil {
		return fault.Unavailable.Errorf("asking how far the ingest service is: %w", err)
	}
	var bar *progress.Bar
	defer func() { bar.Done() }()
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for {
		info, err := durable.Info(ctx)
		if err != nil {
			return fault.Unavailable.Errorf("asking how far the ingest service is: %w", err)
		}
		left := int64(info.NumPending) + int64(info.NumAckPending)
		if left == 0 {
			return nil
		}
		if bar == nil {
			bar = progress.New(os.Stderr, "counting", left)
		}
		bar.Left(left)
		select {
		case <-poll.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
