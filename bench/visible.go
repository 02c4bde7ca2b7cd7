package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"go.uber.org/zap"
)

// visibleCmd measures how long after it was due an event is in a report.
type visibleCmd struct {
	base

	Rates []int         `default:"1000,5000,20000" help:"How many events come in a second."`
	For   time.Duration `default:"15s" help:"How long they do, at each rate."`
	Sync  []string      `default:"always,interval" enum:"always,interval" help:"When the broker syncs: always, at each write, or at an interval of two minutes, which is its default."`
}

// Run measures, and writes what it found.
func (c *visibleCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) error {
	var (
		table strings.Builder
		found []flows
	)
	for _, sync := range c.Sync {
		one, err := c.flows(ctx, log, sync)
		if err != nil {
			return err
		}
		found = append(found, *one)
		if table.Len() == 0 {
			machine := one.Machine
			machine.Broker = strings.Join(c.Sync, "` and `sync ")
			fmt.Fprintf(&table, "Milliseconds from when an event was due to a report that shows it; each rate for %v; %s\n\n| broker syncs | events/s | events seen | p50 | p99 | most | the ceiling, p50 | p99 | service ÷ ceiling, p99 | until acknowledged, p50 | p99 | nothing but published, p50 | p99 | memory of ingest, MiB | of query, MiB |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n", c.For, machine)
		}
		for _, f := range one.Flows {
			w := f.Windows[0]
			fmt.Fprintf(&table, "| `%s` | %d | %d | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.0f | %.0f |\n", sync, f.Rate, w.Seen, w.P50, w.P99, w.Max, f.Ceiling.P50, f.Ceiling.P99, w.P99/f.Ceiling.P99, f.AcknowledgedP50, f.AcknowledgedP99, f.AloneP50, f.AloneP99, f.IngestMiB, f.QueryMiB)
		}
	}
	return c.keep(out, "visible", found, table.String())
}

// flows is what was measured on one ground.
type flows struct {
	Machine Machine `json:"machine"`
	Flows   []flow  `json:"flows"`
}

func (c *visibleCmd) flows(ctx context.Context, log *zap.Logger, sync string) (*flows, error) {
	g, err := c.open(ctx, log, sync)
	if err != nil {
		return nil, err
	}
	defer g.close()
	found := &flows{Machine: g.machine}
	for _, rate := range c.Rates {
		f, err := g.flow(ctx, rate, c.For, c.For)
		if err != nil {
			return nil, err
		}
		if err := g.besides(ctx, f, c.For); err != nil {
			return nil, err
		}
		log.Info("measured", zap.String("broker_syncs", sync), zap.Int("events_per_second", rate), zap.Float64("p99_ms", f.Windows[0].P99), zap.Float64("ceiling_p99_ms", f.Ceiling.P99))
		found.Flows = append(found.Flows, *f)
	}
	return found, nil
}

// soakCmd lets events come in for a long time.
type soakCmd struct {
	base

	Rate   int           `default:"2000" help:"How many events come in a second."`
	For    time.Duration `default:"10m" help:"How long they do."`
	Window time.Duration `default:"1m" help:"How long each line of the table is about."`
}

// Run measures, and writes what it found.
func (c *soakCmd) Run(ctx context.Context, _ *zap.Logger, out io.Writer) error {
	g, err := c.open(ctx, zap.NewNop(), always)
	if err != nil {
		return err
	}
	defer g.close()
	f, err := g.flow(ctx, c.Rate, c.For, c.Window)
	if err != nil {
		return err
	}
	var table strings.Builder
	fmt.Fprintf(&table, "%d events/s for %v; milliseconds from when an event was due to a report that shows it; %s\n\n| after | p50 | p99 | most | memory of ingest, MiB | of query, MiB | database, MiB |\n|---|---|---|---|---|---|---|\n", c.Rate, c.For, g.machine)
	for i, w := range f.Windows {
		fmt.Fprintf(&table, "| %v | %.1f | %.1f | %.1f | %.0f | %.0f | %.0f |\n", time.Duration(i+1)*c.Window, w.P50, w.P99, w.Max, w.IngestMiB, w.QueryMiB, w.DatabaseMiB)
	}
	return c.keep(out, "soak", map[string]any{"machine": g.machine, "flow": f}, table.String())
}
