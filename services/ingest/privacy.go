package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/pg"
	"coworking/pkg/stream"
	"coworking/services/ingest/internal/consume"
	"coworking/services/ingest/internal/store"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// exportCmd is `ingest export`: all that is kept of a person.
type exportCmd struct {
	DatabaseURL pg.URL `required:"" env:"DATABASE_URL" help:"Where events and rollups are kept."`
	NATSURL     string `name:"nats-url" env:"NATS_URL" help:"Taken as by every verb; not used."`
	Member      string `required:"" help:"The member's id, as events name it."`
}

// Run prints JSON.
func (c *exportCmd) Run(ctx context.Context, out io.Writer) error {
	kept, pool, err := openOnce(ctx, c.DatabaseURL, "ingest export")
	if err != nil {
		return err
	}
	defer pool.Close()
	all, err := kept.ExportMember(ctx, c.Member)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(all)
}

// eraseCmd is `ingest erase`: a person forgotten, and no total changed.
type eraseCmd struct {
	DatabaseURL pg.URL        `required:"" env:"DATABASE_URL" help:"Where events and rollups are kept."`
	NATSURL     string        `name:"nats-url" required:"" env:"NATS_URL" help:"The broker, whose copies are deleted too."`
	Partitions  int           `default:"1" env:"PARTITIONS" help:"How many partitions 'ingest setup' gave the stream."`
	Member      string        `required:"" help:"The member's id, as events name it."`
	Timeout     time.Duration `default:"2m" help:"How long to wait for what the stream holds and nobody has stored yet."`

	Credentials stream.Credentials `embed:""`
}

// Help goes below the flags.
func (eraseCmd) Help() string {
	return `Puts a random stand-in for the person in every table, takes their name away, and deletes the stream's stored copies of their events. Visits and totals stay as they are. It first waits until all that the stream holds is stored, so that nothing of theirs comes after; an event that they send later makes a new member of that id.

It can be run again if it was interrupted.`
}

// Run erases: first in the stream, where the database says what is theirs, and then
// in the database.
func (c *eraseCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) (err error) {
	kept, pool, err := openOnce(ctx, c.DatabaseURL, "ingest erase")
	if err != nil {
		return err
	}
	defer pool.Close()
	conn, js, err := c.Credentials.Connect(c.NATSURL, "ingest erase", log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stream.Close(conn)) }()
	if _, err := kept.ExportMember(ctx, c.Member); err != nil {
		return err // nobody of that id
	}
	// The stream first: were it the tables, an interruption between would leave
	// copies that nobody can find any more. And once more afterwards, for what was
	// sent meanwhile.
	deleted, err := c.eraseStream(ctx, js)
	if err != nil {
		return err
	}
	standIn, err := kept.EraseMember(ctx, c.Member)
	if err != nil {
		return err
	}
	more, err := c.eraseStream(ctx, js)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "erased: %d messages of the stream; the tables say %s now\n", deleted+more, standIn)
	return nil
}

// eraseStream deletes every stored copy of what the person sent, once it is in the
// tables, and says how many there were.
func (c *eraseCmd) eraseStream(ctx context.Context, js jetstream.JetStream) (int, error) {
	deleted := 0
	for partition := range c.Partitions {
		bound, err := stream.Bind(ctx, js, stream.Config{Partitions: c.Partitions}, partition)
		if err != nil {
			return deleted, err
		}
		through, err := c.waitFor(ctx, bound)
		if err != nil {
			return deleted, err
		}
		var theirs []uint64
		err = bound.Each(ctx, through, func(m stream.Stored) error {
			in := consume.Decode(store.Incoming{Subject: m.Subject, Body: m.Body, Sequence: m.Sequence, Received: m.Received})
			if store.Mentions(in, c.Member) {
				theirs = append(theirs, m.Sequence)
			}
			return nil
		})
		if err != nil {
			return deleted, err
		}
		for _, sequence := range theirs {
			if err := bound.Erase(ctx, sequence); err != nil {
				return deleted, err
			}
			deleted++
		}
	}
	return deleted, nil
}

// waitFor waits until all that the stream held at first is answered for, and says
// up to which sequence that is.
func (c *eraseCmd) waitFor(ctx context.Context, bound *stream.Consumer) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	_, wanted, err := bound.Settled(ctx)
	for {
		if err != nil {
			return 0, err
		}
		var settled uint64
		if settled, _, err = bound.Settled(ctx); err == nil && settled >= wanted {
			return wanted, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, fault.Unavailable.Errorf("the stream holds events that are not stored yet (up to %d of %d): is `ingest run` running?", settled, wanted)
		}
	}
}
