package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/pg"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
)

// serveCmd measures how many requests a second are answered from a body that is
// remembered and checked.
type serveCmd struct {
	base

	For         time.Duration `default:"3s" help:"How long each program is asked, each round."`
	Rounds      int           `default:"5" help:"How often each is asked."`
	Connections int           `default:"8" help:"How many ask at a time."`
}

// asked is one program's turn.
type asked struct {
	Round             int     `json:"round"`
	Program           string  `json:"program"`
	Path              string  `json:"path"`
	Bytes             int     `json:"bytes"`
	RequestsPerSecond float64 `json:"requests_per_second"`
}

// Run measures, and writes what it found.
func (c *serveCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) error {
	g, err := c.open(ctx, log, always)
	if err != nil {
		return err
	}
	defer g.close()
	if err := c.fill(ctx, g); err != nil {
		return err
	}
	var all []asked
	var table strings.Builder
	fmt.Fprintf(&table, "%d connections, %v each, %d rounds; %s\n\n| | bytes | service, requests/s | bare, requests/s | service ÷ bare |\n|---|---|---|---|---|\n", c.Connections, c.For, c.Rounds, g.machine)
	for _, path := range []string{
		"/api/v1/reports/daily_usage?from=2025-03-01&to=2025-04-01", "/api/v1/reports/daily_usage?from=2025-03-01&to=2026-03-01",
		"/api/reports/daily_usage", "/api/reports/user_visits",
	} {
		turns, err := c.compare(ctx, g, path)
		if err != nil {
			return err
		}
		all = append(all, turns...)
		var service, bare, ratios []float64
		for i := 0; i < len(turns); i += 2 {
			pair := slices.SortedFunc(slices.Values(turns[i:i+2]), func(a, b asked) int { return strings.Compare(b.Program, a.Program) })
			service, bare = append(service, pair[0].RequestsPerSecond), append(bare, pair[1].RequestsPerSecond)
			ratios = append(ratios, pair[0].RequestsPerSecond/pair[1].RequestsPerSecond)
		}
		fmt.Fprintf(&table, "| `%s` | %d | %.0f | %.0f | **%s** |\n", path, turns[0].Bytes, spread(service).Median, spread(bare).Median, spread(ratios).format("%.2f"))
	}
	return c.keep(out, "serve", map[string]any{"machine": g.machine, "turns": all}, table.String())
}

// fill stores a world that reports are about.
func (c *serveCmd) fill(ctx context.Context, g *ground) error {
	if err := g.empty(ctx, g.service(1)); err != nil {
		return err
	}
	said, err := places()
	if err != nil {
		return err
	}
	happened, err := world(50_000, worldSpaces)
	if err != nil {
		return err
	}
	used, err := tokenEvents(tokens(0, 20_000, 20_000))
	if err != nil {
		return err
	}
	for _, events := range [][]event.Event{said, happened, used} {
		if _, err := g.publish(ctx, events); err != nil {
			return err
		}
	}
	_, _, err = g.drain(ctx, g.service(1), nil)
	return err
}

// compare asks the service and the bare program for the same body, in turn.
func (c *serveCmd) compare(ctx context.Context, g *ground, path string) (turns []asked, err error) {
	service, err := g.serve(ctx, "service")
	if err != nil {
		return nil, err
	}
	defer func() { _, _ = service.stop() }()
	_, body, err := get(ctx, service.address+path)
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(g.dir, "body")
	if err != nil {
		return nil, err
	}
	if _, err := file.Write(body); err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	bare, err := g.listen(ctx, func(host string) *exec.Cmd {
		self, err := os.Executable()
		if err != nil {
			self = os.Args[0]
		}
		return exec.Command(self, "bare", "--addr", host, "--database-url", g.server.URL("service"), "--body", file.Name())
	})
	if err != nil {
		return nil, err
	}
	defer func() { _, _ = bare.stop() }()
	for round := range c.Rounds {
		programs := []struct{ name, address string }{{"service", service.address}, {"bare", bare.address}}
		if round%2 == 1 {
			slices.Reverse(programs)
		}
		for _, p := range programs {
			rate, err := c.press(ctx, p.address+path)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
			turns = append(turns, asked{round + 1, p.name, path, len(body), rate})
		}
	}
	return turns, nil
}

// press asks over so many connections, each as soon as it was answered.
func (c *serveCmd) press(ctx context.Context, address string) (rate float64, err error) {
	counts := make([]int, c.Connections)
	began := time.Now()
	end := began.Add(c.For)
	group, ctx := errgroup.WithContext(ctx)
	for i := range counts {
		group.Go(func() error {
			line, err := call(ctx, address)
			if err != nil {
				return err
			}
			defer line.close()
			for time.Now().Before(end) && ctx.Err() == nil {
				if _, err := line.ask(); err != nil {
					return err
				}
				counts[i]++
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return float64(sum) / time.Since(began).Seconds(), nil
}

// bareCmd is the program that the service is measured beside: one route, which looks
// whether the versions of the spaces moved and writes a body that it has.
type bareCmd struct {
	Addr        string `required:"" help:"Where it listens."`
	DatabaseURL pg.URL `required:"" help:"Where the versions are."`
	Body        string `required:"" type:"existingfile" help:"What it answers."`
}

//go:embed sql/bare_versions.sql
var bareVersions string

// Run answers until it is stopped.
func (c *bareCmd) Run(ctx context.Context) error {
	body, err := os.ReadFile(c.Body)
	if err != nil {
		return err
	}
	pool, err := pg.Open(ctx, c.DatabaseURL, pg.Options{Name: "bare", MaxConns: 12})
	if err != nil {
		return err
	}
	defer pool.Close()
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.GET("/*", func(c echo.Context) error { //nolint:contextcheck // each request brings its own
		rows, err := pool.Query(c.Request().Context(), bareVersions)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
		}
		if err := rows.Err(); err != nil {
			return err
		}
		return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, body)
	})
	failed := make(chan error, 1)
	go func() { failed <- e.Start(c.Addr) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return e.Shutdown(context.WithoutCancel(ctx))
	}
}
