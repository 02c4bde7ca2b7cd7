package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/stream"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// histories is the flags of what is asked at several sizes of history.
type histories struct {
	Tokens []int  `default:"100000,1000000" help:"How many one-time tokens there are, each issued and used: two events. Each size is a world of its own."`
	Keep   string `type:"path" help:"The folder that the databases are kept in. What is complete there is asked as it is, the others are filled. Without it all are filled, and go with the run."`
}

// history is a world of one size: the same tokens in a database of the service and in
// one of the system before.
type history struct {
	*ground

	tokens  int
	db, old *pgx.Conn
	touched int
}

// database is the one of "service" or "old".
func (h *history) database(of string) string { return of + "_" + strconv.Itoa(h.tokens) }

// filled is a ground with a world of each size on it, the smallest first. Nothing that is
// measured goes through the broker, so it need not sync.
func (c histories) filled(ctx context.Context, b base, log *zap.Logger, out io.Writer) (_ *ground, all []*history, err error) {
	g, err := b.openIn(ctx, log, interval, cmp.Or(c.Keep, b.databases))
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			g.close()
		}
	}()
	g.patience = stream.Patience{Acknowledgement: time.Minute, Outage: 10 * time.Minute} // filling may go on beside other work
	for _, tokens := range slices.Compact(slices.Sorted(slices.Values(c.Tokens))) {
		h := &history{ground: g, tokens: tokens}
		if err := h.prepare(ctx, out); err != nil {
			return nil, nil, fmt.Errorf("%d tokens: %w", tokens, err)
		}
		all = append(all, h)
	}
	_, err = g.admin.Exec(ctx, "checkpoint") // what filling left to write
	return g, all, err
}

// prepare finds the world complete, or fills it. The program may be newer than what was
// kept, so that is brought to its schema.
func (h *history) prepare(ctx context.Context, out io.Writer) error {
	complete, err := completeness(h.tokens)
	if err != nil {
		return err
	}
	found, err := mark(ctx, h.admin, h.database("service"))
	if err != nil {
		return err
	}
	if found != complete {
		if err := h.fill(ctx, out); err != nil {
			return err
		}
	} else if err := h.service(1).prepare(ctx, h.server.URL(h.database("service"))); err != nil {
		return err
	}
	if h.db, err = h.connect(ctx, h.database("service")); err != nil {
		return err
	}
	if h.old, err = h.connect(ctx, h.database("old")); err != nil {
		return err
	}
	for _, conn := range []*pgx.Conn{h.db, h.old} {
		if _, err := conn.Exec(ctx, "vacuum analyze"); err != nil {
			return err
		}
	}
	if found == complete {
		return nil
	}
	return setMark(ctx, h.admin, h.database("service"), complete)
}

// completeness is what a world's database says of itself once all is in it, which is
// the last that is written. With what the tokens are, so that those of another
// make are not taken for them.
func completeness(size int) (string, error) {
	events, err := tokenEvents(tokens(0, min(size, 1000), size))
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, e := range events {
		sum.Write(e.Encode(nil))
	}
	return "complete: " + hex.EncodeToString(sum.Sum(nil)), nil
}

// mark is what a database says of itself, "" if it says nothing or is not there.
func mark(ctx context.Context, db *pgx.Conn, database string) (said string, err error) {
	err = db.QueryRow(ctx, markSQL, pgx.StrictNamedArgs{"database": database}).Scan(&said)
	return said, err
}

func setMark(ctx context.Context, db *pgx.Conn, database, said string) error {
	_, err := db.Exec(ctx, "comment on database "+pgx.Identifier{database}.Sanitize()+" is '"+said+"'")
	return err
}

func (h *history) connect(ctx context.Context, database string) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, h.server.URL(database))
	if err == nil {
		h.closes = append(h.closes, func() { _ = conn.Close(context.WithoutCancel(ctx)) })
	}
	return conn, err
}

// fill makes the world from nothing: for the service through the stream, as events.
func (h *history) fill(ctx context.Context, out io.Writer) error {
	c := h.service(1)
	c.name = h.database("service")
	if err := h.empty(ctx, c); err != nil {
		return err
	}
	if err := h.create(ctx, h.database("old")); err != nil {
		return err
	}
	old, err := pgx.Connect(ctx, h.server.URL(h.database("old")))
	if err != nil {
		return err
	}
	defer func() { _ = old.Close(context.WithoutCancel(ctx)) }()
	if _, err := old.Exec(ctx, oldSchemaSQL); err != nil {
		return err
	}
	_, _, err = h.drain(ctx, c, h.pour(ctx, old, out))
	if err != nil {
		return err
	}
	stored, err := h.count(ctx, c.name, c.stored)
	if err == nil && stored != 2*h.tokens {
		return fmt.Errorf("%d events were published, %d are stored", 2*h.tokens, stored)
	}
	return err
}

// pour is the events of the world, a piece at a time, so that neither they nor the
// stream take much room. Once a piece was published, its tokens are copied to the old
// system.
func (h *history) pour(ctx context.Context, old *pgx.Conn, out io.Writer) pieces {
	const piece = 100_000
	return func(yield func([]event.Event, error) bool) {
		began := time.Now()
		for from := 0; from < h.tokens; from += piece {
			made := tokens(from, min(from+piece, h.tokens), h.tokens)
			events, err := tokenEvents(made)
			if !yield(events, err) {
				return
			}
			if err := h.settle(ctx, old, made); err != nil {
				yield(nil, err)
				return
			}
			poured := from + len(made)
			fmt.Fprintf(out, "%d of %d tokens published after %v, %.0f events/s\n", poured, h.tokens,
				time.Since(began).Round(time.Second), float64(2*poured)/time.Since(began).Seconds())
		}
	}
}

// settle copies tokens to the old system, and makes room in the stream.
func (h *history) settle(ctx context.Context, old *pgx.Conn, made []issued) error {
	_, err := old.CopyFrom(ctx, pgx.Identifier{"tokens"}, []string{"id", "token", "user_id", "created_at", "used_at"},
		pgx.CopyFromSlice(len(made), func(i int) ([]any, error) {
			t := made[i]
			return []any{t.id, fmt.Sprintf("%08x", t.id), t.user, t.created.UTC(), t.used.UTC()}, nil
		}))
	if err != nil {
		return err
	}
	if err := h.purge(ctx); !errors.Is(err, context.DeadlineExceeded) { // else the next time
		return err
	}
	return ctx.Err()
}

// purge takes from the stream what is stored.
func (h *history) purge(ctx context.Context) error {
	consumer, err := h.js.Consumer(ctx, stream.Name, stream.Durable(0))
	if err != nil {
		return err
	}
	stored := consumer.CachedInfo().AckFloor.Stream
	if stored == 0 {
		return nil
	}
	streamed, err := h.js.Stream(ctx, stream.Name)
	if err != nil {
		return err
	}
	return streamed.Purge(ctx, jetstream.WithPurgeSequence(stored+1))
}

// touch does what an event of the busiest day does.
func (h *history) touch(ctx context.Context) error {
	h.touched++
	_, err := h.db.Exec(ctx, touchSQL, h.touched)
	return err
}
