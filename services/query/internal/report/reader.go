package report

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/fault"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Reader answers reports from one database. Any number of goroutines may share it.
type Reader struct {
	pool *pgxpool.Pool

	mu        sync.Mutex
	calendars map[int32]dated               // by the space's number
	began     map[int32]began               // likewise
	zones     map[string]*calendar.Calendar // midnight days, by the zone's name
	words     map[int32]string              // the dictionary, as far as it was needed
	timelines *timelines                    // of members' plans and teams; nil: not read

	memory *memory
}

// dated is a calendar and the version of the settings that it was made from.
type dated struct {
	settings int64
	calendar *calendar.Calendar
}

// NewReader is a reader of a migrated database.
func NewReader(pool *pgxpool.Pool) *Reader {
	return &Reader{
		pool: pool, memory: newMemory(),
		calendars: map[int32]dated{}, began: map[int32]began{}, zones: map[string]*calendar.Calendar{}, words: map[int32]string{},
	}
}

// Answer asks a report what held at an instant. A fault is Invalid with the code
// and the name of the parameter at fault, NotFound for a space that does not exist
// or that the asker may not see, or Unavailable where the database is.
func (r *Reader) Answer(ctx context.Context, q Question) (Answer, error) {
	return q.Report.ask(ctx, r, q)
}

// snapshot runs count on one state of the database, so that the numbers of an answer
// agree with each other. If memory holds all that is asked for, the one statement that
// tells the versions is enough; else everything is read in one transaction.
func (r *Reader) snapshot(ctx context.Context, q Question, params asker, count func(*scope) error) error {
	s, err := r.resolve(ctx, r.pool, offline{}, q, params)
	if err == nil {
		err = count(s)
	}
	if !errors.Is(err, errOffline) {
		return err
	}
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, r.pool, options, func(tx pgx.Tx) error {
		s, err := r.resolve(ctx, tx, tx, q, params)
		if err != nil {
			return err
		}
		return count(s)
	})
	return pg.Classify(err)
}

// began is when a space's life begins, as of a version of it.
type began struct {
	version int64
	lives   bool
	day     calendar.Date
}

// firstDaysOf finds when the life of each space begins: again only where its version
// moved.
func (r *Reader) firstDaysOf(ctx context.Context, db pg.Querier, places []*place) error {
	stale := map[int32]*place{}
	r.mu.Lock()
	for _, p := range places {
		if known, ok := r.began[p.id]; ok && known.version == p.version {
			p.lives, p.firstDay = known.lives, known.day
		} else {
			stale[p.id] = p
		}
	}
	r.mu.Unlock()
	if len(stale) == 0 {
		return nil
	}
	rows, err := db.Query(ctx, firstDaysSQL, pgx.StrictNamedArgs{"spaces": slices.Collect(maps.Keys(stale))})
	if err != nil {
		return pg.Classify(err)
	}
	var (
		id    int32
		first *int32
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &first}, func() error {
		if first != nil {
			stale[id].lives, stale[id].firstDay = true, calendar.Date(*first)
		}
		return nil
	})
	if err != nil {
		return pg.Classify(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range stale {
		r.began[p.id] = began{p.version, p.lives, p.firstDay}
	}
	return nil
}

// calendarsOf brings the calendars of spaces up to the versions that the snapshot
// holds: those whose settings never changed since are not read again.
func (r *Reader) calendarsOf(ctx context.Context, db pg.Querier, places []*place) error {
	var stale []int32
	r.mu.Lock()
	for _, p := range places {
		if known, ok := r.calendars[p.id]; ok && known.settings == p.settings {
			p.calendar = known.calendar
		} else {
			stale = append(stale, p.id)
		}
	}
	r.mu.Unlock()
	if len(stale) == 0 {
		return nil
	}
	changes, err := changesOf(ctx, db, stale)
	if err != nil {
		return err
	}
	for _, p := range places {
		if p.calendar == nil {
			p.calendar = calendar.New(changes[p.id])
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range places {
		r.calendars[p.id] = dated{p.settings, p.calendar}
	}
	return nil
}

func changesOf(ctx context.Context, db pg.Querier, spaces []int32) (map[int32][]calendar.Change, error) {
	rows, err := db.Query(ctx, spaceChangesSQL, pgx.StrictNamedArgs{"spaces": spaces})
	if err != nil {
		return nil, pg.Classify(err)
	}
	changes := map[int32][]calendar.Change{}
	var (
		space      int32
		at         time.Time
		source, id string
		data       []byte
	)
	_, err = pgx.ForEachRow(rows, []any{&space, &at, &source, &id, &data}, func() error {
		change, err := calendar.ParseChange(at, source, id, data)
		if err != nil {
			return fault.Internal.Errorf("stored settings: %w", err)
		}
		changes[space] = append(changes[space], change)
		return nil
	})
	return changes, pg.Classify(err)
}

// midnights is the plain dates of a zone.
func (r *Reader) midnights(zone *time.Location) *calendar.Calendar {
	r.mu.Lock()
	defer r.mu.Unlock()
	days, known := r.zones[zone.String()]
	if !known {
		days = calendar.Midnights(zone)
		r.zones[zone.String()] = days
	}
	return days
}
