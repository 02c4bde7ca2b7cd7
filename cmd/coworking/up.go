package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"coworking/cmd/coworking/internal/system"
	"coworking/pkg/fault"
	"coworking/pkg/pg"
)

// addresses is where the parts of a system on this machine listen.
type addresses struct {
	QueryAddr  string `default:"127.0.0.1:5153" placeholder:"HOST:PORT" help:"Where reports are answered (${default}). Nobody needs a key as long as it is a loopback address."`
	IntakeAddr string `default:"127.0.0.1:5154" placeholder:"HOST:PORT" help:"Where the ingest service answers (${default})."`
	NATSAddr   string `name:"nats-addr" default:"127.0.0.1:4222" placeholder:"HOST:PORT" help:"Where the broker listens (${default}); a loopback address, since it asks nobody who they are."`
}

// dataFolder is where a system on this machine keeps its data.
type dataFolder struct {
	Data string `placeholder:"DIR" help:"The folder with all of its data. If not given: coworking in your configuration folder (~/.config, or ~/Library/Application Support on a Mac)."`
}

// folder is the one that was given, or the one that each person has.
func (d dataFolder) folder() (string, error) {
	if d.Data != "" {
		return d.Data, nil
	}
	own, err := os.UserConfigDir()
	if err != nil {
		return "", fault.Invalid.Errorf("there is no folder for your data; give one by --data: %w", err)
	}
	return filepath.Join(own, "coworking"), nil
}

// upCmd is `coworking up`.
type upCmd struct {
	dataFolder
	addresses

	DatabaseURL pg.URL `env:"DATABASE_URL" placeholder:"URL" help:"A Postgres to use instead of one of our own."`
}

// Help is kong's: what the verb's flags do not say.
func (upCmd) Help() string {
	return `Starts a broker and a Postgres (found on this machine, or fetched), prepares both, then runs the services ` +
		`ingest and query, which ` + "`make build`" + ` put beside this binary. Prints "ready" on standard output once both ` +
		`services are; everything else goes to standard error and to DIR/logs. What dies is started anew. ` +
		`Ctrl-C stops all of it, and the data is there again the next time.

Examples:

    coworking up

    coworking up --data ./data --query-addr 127.0.0.1:8080

    eval "$(coworking env --data ./data)"   # in another terminal
    psql "$DATABASE_URL"
`
}

// Run runs the system until it is stopped.
func (c *upCmd) Run(ctx context.Context, out io.Writer) error {
	dir, err := c.folder()
	if err != nil {
		return err
	}
	config := c.config(dir)
	config.DatabaseURL = c.DatabaseURL
	return system.Run(ctx, config, func(_ context.Context, running system.Running) error {
		say(fmt.Sprintf("reports: %s   broker: %s   data: %s", running.QueryURL(), running.NATSURL, dir))
		say("Ctrl-C stops it")
		_, err := fmt.Fprintln(out, "ready")
		return err
	})
}

func (a addresses) config(dir string) system.Config {
	return system.Config{Dir: dir, QueryAddr: a.QueryAddr, IntakeAddr: a.IntakeAddr, NATSAddr: a.NATSAddr, Say: say}
}

// say tells people what goes on, beside what they asked for.
func say(line string) { fmt.Fprintln(os.Stderr, line) }
