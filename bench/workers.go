package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"go.uber.org/zap"
)

// workersCmd measures how the service goes faster with more partitions, and so more
// writers, where the events are of many spaces, and where one space has them all.
type workersCmd struct {
	base

	Events  int   `default:"100000" help:"How many events are published and stored."`
	Rounds  int   `default:"3" help:"How often."`
	Workers []int `default:"1,2,4" help:"How many partitions, each with a writer, in one process."`
}

// Run measures, and writes what it found.
func (c *workersCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) error {
	g, err := c.open(ctx, log, always)
	if err != nil {
		return err
	}
	defer g.close()
	var contestants []contestant
	for _, n := range c.Workers {
		one := g.service(n)
		one.name = fmt.Sprintf("workers_%d", n)
		contestants = append(contestants, one)
	}
	found := map[string]runs{}
	var table strings.Builder
	fmt.Fprintf(&table, "%d events that lie in the stream; %s\n\n| | workers | events/s: median (min – max) | by one worker of the same round |\n|---|---|---|---|\n", c.Events, g.machine)
	for _, shape := range []struct {
		name   string
		spaces int
	}{{"twenty spaces", worldSpaces}, {"one space", 1}} {
		happened, err := world(c.Events, shape.spaces)
		if err != nil {
			return err
		}
		all, err := g.rounds(ctx, log, c.Rounds, contestants, func(contestant) task { return task{events: happened} })
		if err != nil {
			return err
		}
		found[shape.name] = all
		for i, n := range c.Workers {
			fmt.Fprintf(&table, "| %s | %d | %s | %s |\n", shape.name, n, spread(all.of(contestants[i].name).each(rate)).format("%.0f"),
				all.ratio(contestants[i].name, contestants[0].name).format("%.2f"))
		}
	}
	return c.keep(out, "workers", map[string]any{"machine": g.machine, "events": c.Events, "runs": found}, table.String())
}
