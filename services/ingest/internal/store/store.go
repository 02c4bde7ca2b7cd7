// Package store is the write side: it turns batches of events into rows, visits
// and rollups, once in effect however often a batch comes.
package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// writeLock is the advisory lock that batches share and that voids, settings and
// re-filing take alone.
const writeLock int64 = 0x636f776f726b_01

// database is what statements outside a batch's transaction run on.
type database interface {
	pg.Querier
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// Incoming is one message of the stream: an event, or the reason why it is none.
type Incoming struct {
	Event event.Event
	Fault error // always fault.Invalid; nil for a good event

	Subject  string
	Header   map[string][]string
	Body     []byte
	Stream   time.Time // when its stream was created: sequences start anew in a new one
	Sequence uint64
	Received time.Time // when the stream stored it
}

// words are the names that the event needs numbers for.
func (in *Incoming) words() [7]string {
	data := &in.Event.Data
	return [...]string{in.Event.Source, data.Method, data.Zone, data.Device, data.Plan, data.Team, data.Reason}
}

// Result counts what became of a batch's messages: each is one of the three.
type Result struct {
	Stored     int
	Duplicates int
	Buried     int
}

func (r *Result) add(o Result) {
	r.Stored += o.Stored
	r.Duplicates += o.Duplicates
	r.Buried += o.Buried
}

// Store writes batches. Several processes may write to one database, and several
// goroutines may share one Store.
type Store struct {
	// Buried is told the code of each message that was buried, also of one that was
	// so before; set it before the first batch.
	Buried func(code string)

	pool    *pgxpool.Pool
	names   *names
	spaces  *spaces
	members *members
	lineage string    // of the database whose numbers names, spaces and members remember
	sent    sync.Pool // of *rows, whose memory is used again
}

// New is a store on a migrated database; it reads the dictionary of words.
func New(ctx context.Context, pool *pgxpool.Pool) (*Store, error) {
	s := &Store{
		Buried: func(string) {},
		pool:   pool, names: newNames(), spaces: newSpaces(), members: newMembers(),
	}
	var lineage *string
	if err := pool.QueryRow(ctx, selectLineage).Scan(&lineage); err != nil {
		return nil, pg.Classify(err)
	}
	if lineage == nil {
		return nil, fault.Unavailable.Errorf("the database is a copy that takes no writes")
	}
	s.lineage = *lineage
	if err := s.names.load(ctx, pool); err != nil {
		return nil, err
	}
	var kinds []string
	for _, kind := range event.Kinds() {
		kinds = append(kinds, string(kind.Kind))
	}
	if err := s.names.intern(ctx, pool, s.names.missing(nil, kinds...)); err != nil {
		return nil, err
	}
	_, err := s.spaces.ensure(ctx, pool, map[string]bool{event.NoSpace: true})
	return s, err
}

// groupKind is what a transaction is for.
type groupKind uint8

const (
	settingsGroup groupKind = iota // what is said of spaces: first, so that the rest is filed by it
	ordinaryGroup                  // everything else
	voidGroup                      // corrections: last, when their targets are there
)

// group is the part of a batch that one transaction writes.
type group struct {
	kind  groupKind
	items []*Incoming
}

// groups splits a batch, so that the few events that reach across units, and must
// be alone with the database, do not keep the others waiting.
func groups(batch []Incoming) []group {
	all := []group{{kind: settingsGroup}, {kind: ordinaryGroup}, {kind: voidGroup}}
	for i := range batch {
		in, kind := &batch[i], ordinaryGroup
		if in.Fault == nil {
			switch in.Event.Kind {
			case event.SpaceUpserted:
				kind = settingsGroup
			case event.EventVoided:
				kind = voidGroup
			}
		}
		all[kind].items = append(all[kind].items, in)
	}
	return all
}

// Write stores a batch: what is new changes visits and rollups, what is known
// changes nothing, what can never be stored is buried with its reason. When it
// returns nil, every message of the batch may be acknowledged. An error is
// fault.Unavailable (hold the batch and write it again later) or fault.Internal
// (stop: a deploy is at fault, not the events).
func (s *Store) Write(ctx context.Context, batch []Incoming) (Result, error) {
	var total Result
	for _, g := range groups(batch) {
		if len(g.items) == 0 {
			continue
		}
		result, err := s.writeGroup(ctx, g)
		if err != nil {
			return total, err
		}
		total.add(result)
	}
	return total, nil
}

// writeGroup writes until the group is stored, halving it around an event that
// Postgres refuses until that one stands alone, and is buried.
func (s *Store) writeGroup(ctx context.Context, g group) (Result, error) {
	for attempt := 0; ; attempt++ {
		result, err := s.write(ctx, g)
		switch {
		case err == nil:
			return result, nil
		case ctx.Err() != nil:
			return Result{}, fault.Unavailable.Errorf("writing %d messages: %w", len(g.items), err)
		case errors.Is(err, errStale):
			continue
		case pg.Retryable(err) && fault.Of(err) == fault.Unavailable:
			// Another writer was first, or in the way. Jitter keeps two that met
			// once from meeting again.
			if err := pause(ctx, time.Duration(1+rand.IntN(10*min(attempt+1, 20)))*time.Millisecond); err != nil {
				return Result{}, err
			}
		case fault.Of(err) != fault.Invalid:
			return Result{}, err
		case len(g.items) == 1 && g.items[0].Fault != nil: // not even the letter can be stored
			return Result{}, fault.Internal.Errorf("burying message %d: %w", g.items[0].Sequence, err)
		case len(g.items) == 1:
			refused := *g.items[0]
			refused.Fault = fault.Invalid.With("unstorable", "", "%w", err)
			g.items = []*Incoming{&refused}
		default:
			half := len(g.items) / 2
			first, err := s.writeGroup(ctx, group{g.kind, g.items[:half]})
			if err != nil {
				return first, err
			}
			second, err := s.writeGroup(ctx, group{g.kind, g.items[half:]})
			first.add(second)
			return first, err
		}
	}
}

// classify is pg.Classify for a batch, where it matters which row was there already.
func classify(err error) error {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || refused.Code != "23505" {
		return pg.Classify(err)
	}
	switch refused.ConstraintName {
	case "events_pkey": // another writer was first; this one finds a duplicate next time
		return fault.Unavailable.Errorf("database: %w", err)
	case "more_visits_pkey": // an anonymous visit of the same number, which somebody went to great lengths to find
		return fault.Invalid.Errorf("database: %w", err)
	default: // no event's fault: burying it would help nobody
		return fault.Internal.Errorf("a row is there that no event made; `ingest verify --fix` mends that: %w", err)
	}
}

// Watermark says that all the stream had stored by then in this partition is in
// the numbers. It never goes back.
func (s *Store) Watermark(ctx context.Context, partition int, completeThrough time.Time) error {
	_, err := s.pool.Exec(ctx, writeWatermark, pgx.StrictNamedArgs{
		"partition": partition, "complete_through": completeThrough,
	})
	return pg.Classify(err)
}

// pause waits, or returns as soon as the context ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fault.Unavailable.Errorf("stopped while waiting to write again: %w", ctx.Err())
	}
}
