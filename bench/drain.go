package main

import (
	"context"
	"fmt"
	"io"

	"go.uber.org/zap"
)

// drainCmd publishes events and lets programs store them, in turn, round after
// round.
type drainCmd struct {
	base

	Events int `default:"100000" help:"How many events are published and stored."`
	Rounds int `default:"3" help:"How often each program stores them."`
}

// Run measures, and writes what it found.
func (c *drainCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) error {
	found, err := c.compete(ctx, log, c.Events, c.Rounds, false, func(g *ground) []contestant {
		return []contestant{g.ceiling(), g.service(1), g.alone()}
	})
	if err != nil {
		return err
	}
	published := spread(found.Runs.of("service").each(func(r Run) float64 { return r.PublishedPerSecond }))
	return c.keep(out, "drain", found, fmt.Sprintf(
		"%d events that lie in the stream, in batches of at most %d; %s\n\n%s\nThe service's rate is **%s** of the ceiling's in the same round, and **%s** times that of a transaction for each event (alone). Published with acknowledgement at %.0f events/s.\n",
		c.Events, c.Batch, found.Machine, found.Runs.table("ceiling", "service", "alone"),
		found.Runs.ratio("service", "ceiling").format("%.2f"), found.Runs.ratio("service", "alone").format("%.0f"), published.Median))
}

// liveCmd is the same while events come in.
type liveCmd struct {
	base

	Events int `default:"200000" help:"How many events are published and stored."`
	Rounds int `default:"3" help:"How often each program stores them."`
}

// Run measures, and writes what it found.
func (c *liveCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) error {
	found, err := c.compete(ctx, log, c.Events, c.Rounds, true, func(g *ground) []contestant {
		return []contestant{g.ceiling(), g.service(1)}
	})
	if err != nil {
		return err
	}
	return c.keep(out, "live", found, fmt.Sprintf(
		"%d events, published while they are stored: at most %d lie in the stream, never none; %s\n\n%s\nThe service's rate is **%s** of the ceiling's in the same round.\n",
		c.Events, ahead, found.Machine, found.Runs.table("ceiling", "service"), found.Runs.ratio("service", "ceiling").format("%.2f")))
}

// competition is what became of a measure of several contestants.
type competition struct {
	Machine Machine `json:"machine"`
	Events  int     `json:"events"`
	Batch   int     `json:"batch"`
	Runs    runs    `json:"runs"`
}

// compete lets contestants store the same events, in turn.
func (b base) compete(ctx context.Context, log *zap.Logger, events, rounds int, live bool, enter func(*ground) []contestant) (*competition, error) {
	g, err := b.open(ctx, log, always)
	if err != nil {
		return nil, err
	}
	defer g.close()
	happened, err := world(events, worldSpaces)
	if err != nil {
		return nil, err
	}
	found := &competition{Machine: g.machine, Events: events, Batch: b.Batch}
	found.Runs, err = g.rounds(ctx, log, rounds, enter(g), func(contestant) task { return task{happened, live} })
	return found, err
}

// rounds is each contestant's turn in each round.
func (g *ground) rounds(ctx context.Context, log *zap.Logger, rounds int, contestants []contestant, give func(contestant) task) (all runs, err error) {
	for round := range rounds {
		// Who begins alternates: whatever the machine does slowly, it does to all.
		for i := range contestants {
			c := contestants[(round+i)%len(contestants)]
			run, err := g.measure(ctx, c, give(c))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			run.Round = round + 1
			all = append(all, run)
			log.Info("measured", zap.Int("round", run.Round), zap.String("program", run.Name), zap.Int("events_per_second", int(run.EventsPerSecond)))
		}
	}
	return all, nil
}
