package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"coworking/pkg/pg"
)

// rebuildCmd is `ingest rebuild`: visits and rollups anew from the events.
type rebuildCmd struct {
	DatabaseURL pg.URL     `required:"" env:"DATABASE_URL" help:"Where events and rollups are kept."`
	NATSURL     string     `name:"nats-url" env:"NATS_URL" help:"Taken as by every verb; not used: the events are in the database."`
	Range       rangeFlags `embed:""`
	Quiet       bool       `short:"q" help:"Say nothing of how far it is."`
}

// Help goes below the flags.
func (rebuildCmd) Help() string {
	return `Derives visits and rollups again from the stored events, beside what is there, and swaps them in in one transaction; ingestion goes on meanwhile. Without a range it rebuilds everything, tokens and the two old reports included. Sealed days stay as they are: their events are gone.`
}

// Run rebuilds.
func (c *rebuildCmd) Run(ctx context.Context, out io.Writer) error {
	r, err := c.Range.dates()
	if err != nil {
		return err
	}
	kept, pool, err := openOnce(ctx, c.DatabaseURL, "ingest rebuild")
	if err != nil {
		return err
	}
	defer pool.Close()
	say := progress(os.Stderr, "space-days")
	if c.Quiet {
		say = func(int, int) {}
	}
	days, err := kept.Rebuild(ctx, r, say)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "rebuilt %d space-days\n", days)
	return nil
}
