package store

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// space is what a batch is prepared with: a space's number and calendar as of one
// version of its settings. It never changes; newer settings are a new value.
type space struct {
	id       int32
	name     string
	settings int64
	calendar *calendar.Calendar
}

// spaces is every space that this process has met. What it says may be out of
// date: a transaction checks the settings it was prepared with once it holds the
// advisory lock. Safe for concurrent use.
type spaces struct {
	mu     sync.RWMutex
	byName map[string]*space
}

func newSpaces() *spaces { return &spaces{byName: map[string]*space{}} }

func (s *spaces) get(name string) *space {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byName[name]
}

// ensure is the wanted spaces, creating stubs for new ones in a short transaction
// of its own. Another goroutine may forget them at any time, so that who asked
// goes on with what it was given.
func (s *spaces) ensure(ctx context.Context, db database, wanted map[string]bool) (map[string]*space, error) {
	known := map[string]*space{}
	var missing []string
	for name := range wanted {
		if sp := s.get(name); sp != nil {
			known[name] = sp
		} else {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return known, nil
	}
	slices.Sort(missing)
	if _, err := db.Exec(ctx, internSpaces, pgx.StrictNamedArgs{"spaces": missing}); err != nil {
		return nil, pg.Classify(err)
	}
	loaded, err := s.load(ctx, db, missing)
	maps.Copy(known, loaded)
	return known, err
}

// load reads the spaces' settings anew. The number is read before the changes,
// so that a change in between shows as a stale number, never as stale settings.
func (s *spaces) load(ctx context.Context, db pg.Querier, wanted []string) (map[string]*space, error) {
	rows, err := db.Query(ctx, selectSpaces, pgx.StrictNamedArgs{"spaces": wanted})
	if err != nil {
		return nil, pg.Classify(err)
	}
	found := map[int32]*space{}
	var row space
	_, err = pgx.ForEachRow(rows, []any{&row.id, &row.name, &row.settings}, func() error {
		sp := row
		found[sp.id] = &sp
		return nil
	})
	if err != nil {
		return nil, pg.Classify(err)
	}
	changes, err := spaceChanges(ctx, db, slices.Sorted(maps.Keys(found)))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	loaded := make(map[string]*space, len(found))
	for id, sp := range found {
		sp.calendar = calendar.New(changes[id])
		s.byName[sp.name], loaded[sp.name] = sp, sp
	}
	return loaded, nil
}

// forget drops what is known of the named spaces: it has changed.
func (s *spaces) forget(names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		delete(s.byName, name)
	}
}

// spaceChanges is what was said of each space, the input of its calendar.
func spaceChanges(ctx context.Context, db pg.Querier, ids []int32) (map[int32][]calendar.Change, error) {
	rows, err := db.Query(ctx, selectSpaceChanges, pgx.StrictNamedArgs{"spaces": ids})
	if err != nil {
		return nil, pg.Classify(err)
	}
	changes := map[int32][]calendar.Change{}
	var (
		id          int32
		at          time.Time
		source, eid string
		data        []byte
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &at, &source, &eid, &data}, func() error {
		change, err := calendar.ParseChange(at, source, eid, data)
		if err != nil {
			return err
		}
		changes[id] = append(changes[id], change)
		return nil
	})
	return changes, pg.Classify(err)
}
