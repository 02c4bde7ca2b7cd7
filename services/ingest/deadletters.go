package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"coworking/pkg/pg"
	"coworking/services/ingest/internal/consume"
	"coworking/services/ingest/internal/store"
)

// deadLettersCmd is `ingest dead-letters`: what no retry could store, and what to
// do about it.
type deadLettersCmd struct {
	DatabaseURL pg.URL `required:"" env:"DATABASE_URL" help:"Where events and rollups are kept."`
	NATSURL     string `name:"nats-url" env:"NATS_URL" help:"Taken as by every verb; not used: dead letters are in the database."`

	List  listLettersCmd  `cmd:"" help:"List dead letters, newest first."`
	Show  showLetterCmd   `cmd:"" help:"Show one, with its bytes and its reason."`
	Retry retryLettersCmd `cmd:"" help:"Write it again, after what refused it was mended."`
	Drop  dropLettersCmd  `cmd:"" help:"Mark it: nothing more is to be done about it. Its row stays."`
}

type listLettersCmd struct {
	State string `default:"open" enum:"open,retried,dropped,all" help:"Which: ${enum}."`
	Code  string `help:"Only those with this reason, such as id_conflict."`
	Limit int    `default:"100" help:"How many at most."`
	JSON  bool   `help:"As JSON, a line each."`
}

// Run lists.
func (c *listLettersCmd) Run(ctx context.Context, out io.Writer, d *deadLettersCmd) error {
	filter := store.LetterFilter{State: c.State, Code: c.Code, Limit: c.Limit}
	if c.State == "all" {
		filter.State = ""
	}
	return d.with(ctx, func(kept *store.Store) error {
		letters, err := kept.DeadLetters(ctx, filter)
		if err != nil {
			return err
		}
		if c.JSON {
			encoder := json.NewEncoder(out)
			for _, l := range letters {
				if err := encoder.Encode(l); err != nil {
					return err
				}
			}
			return nil
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "id\treceived\tstate\tcode\tsubject\tdetail")
		for _, l := range letters {
			fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\n", l.ID, l.Received.UTC().Format(time.RFC3339), l.State, l.Code, l.Subject, l.Detail)
		}
		return table.Flush()
	})
}

type showLetterCmd struct {
	ID int64 `arg:"" help:"Its id, from the list."`
}

// Run shows one.
func (c *showLetterCmd) Run(ctx context.Context, out io.Writer, d *deadLettersCmd) error {
	return d.with(ctx, func(kept *store.Store) error {
		l, err := kept.DeadLetter(ctx, c.ID)
		if err != nil {
			return err
		}
		body := string(l.Body)
		if !utf8.Valid(l.Body) {
			body = fmt.Sprintf("%q", l.Body)
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, line := range [][2]string{
			{"id", fmt.Sprint(l.ID)},
			{"state", l.State},
			{"code", l.Code},
			{"pointer", l.Pointer},
			{"detail", l.Detail},
			{"subject", l.Subject},
			{"sequence", fmt.Sprint(l.Sequence)},
			{"received", l.Received.UTC().Format(time.RFC3339Nano)},
			{"buried", l.Buried.UTC().Format(time.RFC3339Nano)},
		} {
			if line[1] != "" {
				fmt.Fprintf(table, "%s\t%s\n", line[0], line[1])
			}
		}
		for name, values := range l.Headers {
			fmt.Fprintf(table, "header %s\t%q\n", name, values)
		}
		fmt.Fprintf(table, "body\t%s\n", body)
		return table.Flush()
	})
}

type retryLettersCmd struct {
	IDs []int64 `arg:"" name:"id" help:"Their ids."`
}

// Run retries each; the first that is still refused ends it.
func (c *retryLettersCmd) Run(ctx context.Context, out io.Writer, d *deadLettersCmd) error {
	return d.with(ctx, func(kept *store.Store) error {
		for _, id := range c.IDs {
			if err := kept.RetryDeadLetter(ctx, id, consume.Decode); err != nil {
				return err
			}
			fmt.Fprintf(out, "%d: stored\n", id)
		}
		return nil
	})
}

type dropLettersCmd struct {
	IDs []int64 `arg:"" name:"id" help:"Their ids."`
}

// Run drops each.
func (c *dropLettersCmd) Run(ctx context.Context, out io.Writer, d *deadLettersCmd) error {
	return d.with(ctx, func(kept *store.Store) error {
		for _, id := range c.IDs {
			if err := kept.DropDeadLetter(ctx, id); err != nil {
				return err
			}
			fmt.Fprintf(out, "%d: dropped\n", id)
		}
		return nil
	})
}

func (c *deadLettersCmd) with(ctx context.Context, fn func(*store.Store) error) error {
	kept, pool, err := openOnce(ctx, c.DatabaseURL, "ingest dead-letters")
	if err != nil {
		return err
	}
	defer pool.Close()
	return fn(kept)
}
