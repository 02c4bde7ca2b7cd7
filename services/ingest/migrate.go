package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"coworking/migrations"
	"coworking/migrations/apply"
	"coworking/pkg/fault"
	"coworking/pkg/pg"
)

// migrateCmd is `ingest migrate`: the only thing that changes the schema. Services
// check its version and change nothing.
type migrateCmd struct {
	DatabaseURL pg.URL        `required:"" env:"DATABASE_URL" help:"The database, reached directly and not through a pooler."`
	Timeout     time.Duration `default:"5m" env:"MIGRATE_TIMEOUT" help:"How long to wait for another migration to end, and for this one."`

	Up      migrateUpCmd      `cmd:"" help:"Bring the schema to the latest version. Any number of runners may do so at once."`
	Down    migrateDownCmd    `cmd:"" help:"Take the last changes back, and what they held."`
	Status  migrateStatusCmd  `cmd:"" help:"Say where the schema stands."`
	Version migrateVersionCmd `cmd:"" help:"Print the version that this build needs."`
}

// Help is what --help says besides.
func (migrateCmd) Help() string {
	return `Run it before a new version of the services starts: they check the schema's version and change nothing. Each change only adds what the new version needs, so the old version goes on beside it.

A change is one transaction. One that fails changes nothing, and can be run again; one that finds a table in use lets the others go first and tries again. Only where the connection breaks in the middle of one does nobody know what became of it: then the schema is called dirty, and everything waits for somebody to look.

Examples:

    ingest migrate up

    ingest migrate status && echo "the services can start"

    ingest migrate down --steps 1 --yes`
}

type migrateUpCmd struct{}

// Run migrates.
func (c *migrateUpCmd) Run(ctx context.Context, out io.Writer, m *migrateCmd) error {
	ctx, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	before, err := apply.Status(ctx, string(m.DatabaseURL))
	if err != nil {
		return err
	}
	if err := apply.Up(ctx, string(m.DatabaseURL), out); err != nil {
		return err
	}
	after, err := apply.Status(ctx, string(m.DatabaseURL))
	if err != nil {
		return err
	}
	if before == after {
		fmt.Fprintf(out, "nothing to do: the schema is at version %d\n", after.Version)
	}
	return nil
}

type migrateDownCmd struct {
	Steps int  `default:"1" help:"How many changes to take back."`
	Yes   bool `help:"Really: the data in what is taken back is lost."`
}

// Run takes changes back.
func (c *migrateDownCmd) Run(ctx context.Context, out io.Writer, m *migrateCmd) error {
	switch {
	case c.Steps < 1:
		return fault.Invalid.Errorf("--steps is %d; it says how many changes to take back, 1 or more", c.Steps)
	case !c.Yes:
		return fault.Invalid.Errorf("this drops tables and what is in them; say --yes if that is meant")
	}
	ctx, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	if err := apply.Down(ctx, string(m.DatabaseURL), c.Steps, out); err != nil {
		return err
	}
	after, err := apply.Status(ctx, string(m.DatabaseURL))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "the schema is at version %d\n", after.Version)
	return nil
}

type migrateStatusCmd struct{}

// Run says where the schema stands, and fails where a service would not start.
func (c *migrateStatusCmd) Run(ctx context.Context, out io.Writer, m *migrateCmd) error {
	ctx, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	pool, err := pg.Open(ctx, m.DatabaseURL, pg.Options{Name: "ingest migrate", MaxConns: 1})
	if err != nil {
		return err
	}
	defer pool.Close()
	found, err := apply.Status(ctx, string(m.DatabaseURL))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "schema: version %d, this build needs %d\n", found.Version, migrations.Latest())
	return apply.Check(ctx, pool)
}

type migrateVersionCmd struct{}

// Run prints the version.
func (c *migrateVersionCmd) Run(out io.Writer) error {
	fmt.Fprintln(out, migrations.Latest())
	return nil
}
