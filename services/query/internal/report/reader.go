package report

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/fault"
	"coworking/pkg/pg"
	"coworking/services/query/internal/remember"

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

	memory *memory
	few    few

	// Remembered is what all that it remembers shares.
	Remembered *remember.Budget
}

// few is how much is read or gathered at a time where there is more: what a question does not
// keep need not be there at once.
type few struct {
	visits    int64
	tokenDays int // whose tokens are read
	rows      int // of which members are gathered
}

// dated is a calendar and the version of the settings that it was made from.
type dated struct {
	settings int64
	calendar *calendar.Calendar
}

// NewReader is a reader of a migrated database.
func NewReader(pool *pgxpool.Pool) *Reader {
	budget := remember.New(remember.Most)
	return &Reader{
		pool: pool, memory: newMemory(budget), few: few{visits: 100_000, tokenDays: 150, rows: 30}, Remembered: budget,
		calendars: map[int32]dated{}, began: map[int32]began{}, zones: map[string]*calendar.Calendar{}, words: map[int32]string{},
	}
}

// Answer asks a report what held at an instant. A fault is Invalid with the code
// and the name of the parameter at fault, NotFound for a space that does not exist
// or that the asker may not see, or Unavailable where the database is.
func (r *Reader) Answer(ctx context.Context, q Question) (Answer, error) {
	look, err := r.Look(ctx, q, Likely{})
	if err != nil {
		return Answer{}, err
	}
	return look.Answer(ctx)
}

// Look is a look at the versions that the answer to a question rests on. It must be
// closed, and may be as soon as nobody wants the answer any more.
type Look struct {
	Version string // that the answer has, for a client that has it already
	Basis   Basis

	// Answer counts what held at the look, or a little later: what its version says is
	// sure.
	Answer func(context.Context) (Answer, error)

	within *snapshot // nil: it was no part of a transaction
}

// Close gives back what the look holds.
func (l Look) Close() {
	if l.within != nil {
		l.within.end(context.Background())
	}
}

// Look costs little: nothing is counted. Faults are those of Answer, but for what only
// counting finds. To know what the question is likely about saves time, nothing else.
func (r *Reader) Look(ctx context.Context, q Question, likely Likely) (Look, error) {
	return q.Report.look(ctx, r, q, likely)
}

// look finds out what a question is about. That takes one statement, if all else is
// remembered that it rests on. If it is not, or if the answer will have to be counted, it
// is the begin of a transaction that the answer is counted in.
func (r *Reader) look(ctx context.Context, q Question, params asker, likely Likely, count func(*scope) error) (*scope, *snapshot, error) {
	if likely.scope != nil {
		s, next, err := r.lookAsLikely(q, likely, count)
		switch {
		case s != nil:
			return s, nil, nil
		case next != nil, errors.Is(err, errOtherwise):
			return r.lookWithin(ctx, next, q, params)
		case err != nil:
			return nil, nil, err
		}
	}
	s, err := r.resolve(ctx, r.pool, &offline{}, q, params)
	if errors.Is(err, errOffline) {
		return r.lookWithin(ctx, nil, q, params)
	}
	return s, nil, err
}

func (r *Reader) lookWithin(ctx context.Context, next *statement, q Question, params asker) (*scope, *snapshot, error) {
	now, err := r.snapshot(ctx, next)
	if err != nil {
		return nil, nil, err
	}
	s, err := r.resolve(ctx, now, now, q, params)
	if err != nil {
		now.end(ctx)
		return nil, nil, pg.Classify(err)
	}
	return s, now, nil
}

// fromMemory counts for a scope from memory alone. What had to be asked of the database
// first is returned where that is not possible.
func fromMemory(looked *scope, count func(*scope) error) (*statement, error) {
	memory := &offline{}
	s := *looked
	s.db = memory
	err := count(&s)
	return memory.refused, err
}

// count counts for a scope whose days are all in memory, or else for what is found in
// one transaction.
func (r *Reader) count(ctx context.Context, looked *scope, q Question, params asker, count func(*scope) error) error {
	next, err := fromMemory(looked, count)
	if !errors.Is(err, errOffline) {
		return err
	}
	s, now, err := r.lookWithin(ctx, next, q, params)
	if err != nil {
		return err
	}
	defer now.end(ctx)
	return pg.Classify(count(s))
}

// began is when a space's life begins, as of a version of it.
type began struct {
	version int64
	lives   bool
	day     calendar.Date
}

// begun is when the spaces' lives begin, as far as that was looked for.
func (r *Reader) begun() map[int32]began {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.began)
}

// keepBegun remembers when lives begin that were looked for.
func (r *Reader) keepBegun(found map[int32]began) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.Copy(r.began, found)
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
