package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"go.uber.org/zap"
)

// drainCmd publishes events and lets a program store them, the service and the
// ceiling in turn, round after round.
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
	ground, err := c.open(ctx, log)
	if err != nil {
		return err
	}
	defer ground.close()
	results := Results{
		Machine: fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
		Go:      runtime.Version(), Events: c.Events, Batch: c.Batch, Measured: time.Now().UTC().Truncate(time.Second),
	}
	if results.Postgres, err = ground.postgresSettings(ctx); err != nil {
		return err
	}
	contestants := []contestant{ground.ceiling(), ground.service()}
	for round := range c.Rounds {
		// Who begins alternates: whatever the machine does slowly, it does to both.
		for i := range contestants {
			contestant := contestants[(round+i)%len(contestants)]
			run, err := ground.measure(ctx, contestant)
			if err != nil {
				return fmt.Errorf("%s: %w", contestant.name, err)
			}
			run.Round = round + 1
			results.Runs = append(results.Runs, run)
			log.Info("measured", zap.Int("round", run.Round), zap.String("program", run.Name), zap.Int("events_per_second", int(run.EventsPerSecond)))
		}
	}
	results.compare()
	return results.write(out, c.Results, c.Readme)
}
