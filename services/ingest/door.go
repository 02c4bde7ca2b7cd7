package main

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"coworking/pkg/boot"
	"coworking/pkg/fault"
	"coworking/pkg/key"
	"coworking/pkg/stream"
	"coworking/services/ingest/internal/intake"
	"coworking/services/ingest/internal/store"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

const (
	// doorSeats bounds what bodies take of memory: half of them may be large, which is
	// 1 MiB at most, and there a few times while it is read, judged and published.
	doorSeats = 16
	// doorPatience is how long a request waits for a seat. Senders try again.
	doorPatience = time.Second
	// doorAnswer is how long the stream may take to say that it has a batch.
	doorAnswer = 5 * time.Second
)

// door is the addresses over HTTP that take events. It has a connection to the broker
// of its own: what the worker has in hand does not hold it up. close lets go of it.
func (c *runCmd) door(pool *pgxpool.Pool, letters intake.Letters, registry prometheus.Registerer, tracer *boot.Tracer, log *zap.Logger) (
	closeDoor func() error, handler http.Handler, err error,
) {
	posted, err := c.hooksFlags.read(c.open())
	if err != nil {
		return nil, nil, err
	}
	conn, js, err := c.Credentials.As(c.DoorNKey).Connect(c.NATSURL, "ingest door", log)
	if err != nil {
		return nil, nil, err
	}
	keys := key.NewKeys(pool, time.Now)
	keys.Unwritten = func(err error) { log.Warn("that a key was used could not be written down", zap.Error(err)) }
	closeDoor = func() error {
		keys.Close()
		return stream.Close(conn)
	}
	return closeDoor, intake.New(intake.Config{
		Publisher: stream.NewPublisher(js, stream.Patience{Acknowledgement: doorAnswer}),
		Letters:   letters,
		Authority: keys,
		Open:      c.open(),
		Now:       time.Now,
		Log:       log,
		Metrics:   registry,
		Trace:     tracer,
		Hooks:     posted,
		AtOnce:    doorSeats, Patience: doorPatience,
	}), nil
}

// open says whether nobody needs a key: as on a laptop, unless somebody says
// otherwise.
func (c *runCmd) open() bool {
	return onLoopback(c.IntakeAddr) && (c.RequireKeys == nil || !*c.RequireKeys)
}

// shelf is where dead letters are read, once the database is there.
type shelf struct{ kept atomic.Pointer[store.Store] }

var errNoShelf = fault.Unavailable.Errorf("the database is not there yet")

// DeadLetters lists them.
func (s *shelf) DeadLetters(ctx context.Context, f store.LetterFilter) ([]store.DeadLetter, error) {
	kept := s.kept.Load()
	if kept == nil {
		return nil, errNoShelf
	}
	return kept.DeadLetters(ctx, f)
}

// DeadLetter shows one.
func (s *shelf) DeadLetter(ctx context.Context, id int64) (store.DeadLetter, error) {
	kept := s.kept.Load()
	if kept == nil {
		return store.DeadLetter{}, errNoShelf
	}
	return kept.DeadLetter(ctx, id)
}
