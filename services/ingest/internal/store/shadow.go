package store

import (
	"context"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/event"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// Range is which space-days a rebuild or a verification looks at: nil is all.
type Range struct {
	Spaces   []string
	From, To *calendar.Date // [From, To)
}

func (r Range) all() bool { return r.Spaces == nil && r.From == nil && r.To == nil }

// shadow is a session with temporary tables that stand before the real ones in its
// search path: what derives a space-day from its events writes there, and does not
// know. They vanish with the session, also when the process is killed.
type shadow struct {
	store *Store
	conn  *pgx.Conn
	// wrongKeys is the facts whose key is not what their identity makes it.
	wrongKeys []wrongKey
}

type wrongKey struct {
	dayKey
	stored, derived key
}

// shadowDay is a space-day to derive, as it was found.
type shadowDay struct {
	dayKey
	name    string // of the space
	version int64
	queued  bool // to be filed anew: its rows are known to be old
}

func (s *Store) openShadow(ctx context.Context) (*shadow, error) {
	// A connection of its own: statements prepared before the tables were there
	// would mean the real ones.
	config := s.pool.Config().ConnConfig.Copy()
	for _, batchOnly := range []string{"statement_timeout", "plan_cache_mode", "enable_hashjoin", "enable_mergejoin"} {
		delete(config.RuntimeParams, batchOnly) // whole tables are compared here, for as long as it takes
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, pg.Classify(err)
	}
	sh := &shadow{store: s, conn: conn}
	if err := sh.script(ctx, createShadow); err != nil {
		sh.close()
		return nil, err
	}
	return sh, nil
}

// script runs statements that take no arguments.
func (sh *shadow) script(ctx context.Context, sql string) error {
	_, err := sh.conn.PgConn().Exec(ctx, sql).ReadAll()
	return pg.Classify(err)
}

func (sh *shadow) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = sh.conn.Close(ctx) // the server ends the session either way
}

// days is the space-days of a range that can be derived: sealed ones cannot.
func (sh *shadow) days(ctx context.Context, db pg.Querier, r Range) ([]shadowDay, error) {
	rows, err := db.Query(ctx, selectRebuildDays, pgx.StrictNamedArgs{"spaces": r.Spaces, "from": r.From, "to": r.To})
	if err != nil {
		return nil, pg.Classify(err)
	}
	days, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d shadowDay, err error) {
		return d, row.Scan(&d.space, &d.day, &d.name, &d.version, &d.queued)
	})
	return days, pg.Classify(err)
}

// snapshot runs fn in a transaction that sees one moment, so that events and
// rollups belong together while ingestion goes on.
func (sh *shadow) snapshot(ctx context.Context, fn func(pgx.Tx) error) error {
	err := pgx.BeginTxFunc(ctx, sh.conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, fn)
	return pg.Classify(err)
}

// derive writes the days into the temporary tables.
func (sh *shadow) derive(ctx context.Context, tx pgx.Tx, days []shadowDay) error {
	calendars, err := sh.calendars(ctx, tx, days)
	if err != nil {
		return err
	}
	for _, d := range days {
		facts, err := sh.store.factsOf(ctx, tx, d.dayKey, calendars[d.space])
		if err != nil {
			return err
		}
		for _, f := range facts {
			if k := key(event.KeyOf(d.name, sh.store.names.word(f.source), f.id)); k != f.key {
				sh.wrongKeys = append(sh.wrongKeys, wrongKey{d.dayKey, f.key, k})
			}
		}
		if err := sh.store.deriveDay(ctx, tx, d.dayKey, calendars[d.space], facts); err != nil {
			return err
		}
	}
	return nil
}

func (sh *shadow) calendars(ctx context.Context, tx pgx.Tx, days []shadowDay) (map[int32]*calendar.Calendar, error) {
	var ids []int32
	calendars := map[int32]*calendar.Calendar{}
	for _, d := range days {
		if _, ok := calendars[d.space]; !ok {
			calendars[d.space] = nil
			ids = append(ids, d.space)
		}
	}
	changes, err := spaceChanges(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		calendars[id] = calendar.New(changes[id])
	}
	return calendars, nil
}

// chunks cuts the days into pieces that one transaction takes, and calls fn with
// each and with how many are done.
func chunks(days []shadowDay, fn func(chunk []shadowDay, done int) error) error {
	const size = 31
	for done := 0; done < len(days); done += size {
		if err := fn(days[done:min(done+size, len(days))], done); err != nil {
			return err
		}
	}
	return nil
}
