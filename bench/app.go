package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"

	"coworking/pkg/fault"

	"go.uber.org/zap"
)

// appCmd measures the two old reports beside a program that answers them as the system
// before did, over HTTP.
type appCmd struct {
	base
	histories

	Times   int    `default:"10" help:"How often each question is asked."`
	Python  string `default:"python3" help:"A Python that has Flask and psycopg2, such as Debian's with python3-flask and python3-psycopg2."`
	Program string `default:"bench/old/app.py" type:"existingfile" help:"The program."`
}

// beside is how long a report took, in milliseconds, at one size: the old program, the
// service after an event, and the service asked again.
type beside struct {
	Tokens  int    `json:"tokens"`
	Path    string `json:"path"`
	App     Spread `json:"app_ms"`
	Changed Spread `json:"changed_ms"`
	Again   Spread `json:"again_ms"`
}

// Run fills both databases, and asks both programs in turn.
func (c *appCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) error {
	if err := c.found(ctx); err != nil {
		return err
	}
	g, worlds, err := c.filled(ctx, c.base, log, out)
	if err != nil {
		return err
	}
	defer g.close()
	var (
		all   []beside
		table strings.Builder
	)
	fmt.Fprintf(&table, "Medians of %d, in milliseconds; %s\n\n| | tokens | the old program | the service after an event | again | old ÷ after an event | old ÷ again |\n|---|---|---|---|---|---|---|\n", c.Times, g.machine)
	for _, h := range worlds {
		found, err := c.ask(ctx, h)
		if err != nil {
			return err
		}
		for _, b := range found {
			fmt.Fprintf(&table, "| `%s` | %d | %.1f | %.2f | %.2f | %.0f | %.0f |\n",
				b.Path, b.Tokens, b.App.Median, b.Changed.Median, b.Again.Median, b.App.Median/b.Changed.Median, b.App.Median/b.Again.Median)
		}
		all = append(all, found...)
	}
	return c.keep(out, "app", map[string]any{"machine": g.machine, "reports": all}, table.String())
}

// found looks for what the old program needs.
func (c *appCmd) found(ctx context.Context) error {
	if err := exec.CommandContext(ctx, c.Python, "-c", "import flask, psycopg2").Run(); err != nil {
		return fault.NotFound.Errorf("%s has no Flask or no psycopg2: apt-get install python3-flask python3-psycopg2, and --python /usr/bin/python3 (%w)", c.Python, err)
	}
	return nil
}

// ask starts both programs and asks them.
func (c *appCmd) ask(ctx context.Context, h *history) ([]beside, error) {
	service, err := h.serve(ctx, h.database("service"))
	if err != nil {
		return nil, err
	}
	defer func() { _, _ = service.stop() }()
	old, err := h.listen(ctx, func(host string) *exec.Cmd {
		_, port, _ := net.SplitHostPort(host) // listen made it
		return exec.Command(c.Python, c.Program, h.server.URL(h.database("old")), port)
	})
	if err != nil {
		return nil, err
	}
	defer func() { _, _ = old.stop() }() // a signal ends it: that is how it ends
	var all []beside
	for _, path := range []string{"/api/reports/daily_usage", "/api/reports/user_visits"} {
		var took [3][]float64
		for range c.Times {
			if err := h.touch(ctx); err != nil {
				return nil, err
			}
			for i, address := range []string{service.address, service.address, old.address} {
				ms, _, err := get(ctx, address+path)
				if err != nil {
					return nil, err
				}
				took[i] = append(took[i], ms)
			}
		}
		all = append(all, beside{h.tokens, path, spread(took[2]), spread(took[0]), spread(took[1])})
	}
	return all, nil
}
