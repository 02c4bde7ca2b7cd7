package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"time"

	"coworking/pkg/devpg"
	"coworking/pkg/fault"

	"go.uber.org/zap"
)

// allCmd is every measure, in turn.
type allCmd struct {
	base

	Full bool `help:"As long as it takes: more rounds, ten million tokens, an hour of events."`
}

// Run measures everything.
func (c *allCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	c.databases = filepath.Join(dir, "postgres")
	defer func() {
		_ = os.RemoveAll(devpg.Real(c.databases)) // root's are elsewhere
		_ = os.RemoveAll(dir)
	}()
	measures := []interface {
		Run(ctx context.Context, log *zap.Logger, out io.Writer) error
	}{
		&drainCmd{c.base, 20_000, 2},
		&liveCmd{c.base, 40_000, 1},
		&workersCmd{c.base, 20_000, 1, []int{1, 2}},
		&visibleCmd{c.base, []int{5000, 20_000}, 2 * time.Second, []string{always}},
		&soakCmd{c.base, 2000, 4 * time.Second, 2 * time.Second},
		&serveCmd{c.base, 500 * time.Millisecond, 2, 8},
		&readsCmd{base: c.base, histories: histories{Tokens: []int{10_000}}, Times: 1},
	}
	if c.Full {
		measures = measures[:0]
		measures = append(measures,
			&drainCmd{c.base, 500_000, 5},
			&liveCmd{c.base, 500_000, 5},
			&workersCmd{c.base, 200_000, 3, []int{1, 2, 4}},
			&visibleCmd{c.base, []int{1000, 5000, 20_000}, 30 * time.Second, []string{always, interval}},
			&serveCmd{c.base, 3 * time.Second, 5, 8},
			&readsCmd{base: c.base, histories: histories{Tokens: []int{100_000, 1_000_000, 10_000_000}}, Times: 10},
			&appCmd{c.base, histories{Tokens: []int{100_000, 1_000_000}}, 10, "python3", "bench/old/app.py"},
			&soakCmd{c.base, 2000, time.Hour, 5 * time.Minute},
		)
	}
	for _, measure := range measures {
		err := measure.Run(ctx, log, out)
		if fault.Of(err) == fault.NotFound {
			log.Info("left out", zap.Error(err))
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}
