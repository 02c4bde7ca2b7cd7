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
	store    *Store
	conn     *pgx.Conn
	misfiled []misfiled
}

// misfiled is an event whose key is not what its identity makes it, or that says
// another day than the one whose instants hold its time.
type misfiled struct {
	dayKey          // as it should be
	id              string
	stored, derived key
	storedDay       calendar.Date
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
	config.RuntimeParams["synchronous_commit"] = "on" // a rebuild that ended has happened
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

// days is the space-days of a range. Asked thoroughly, it also finds those that
// have lost their row, at the price of reading all events.
func (sh *shadow) days(ctx context.Context, db pg.Querier, r Range, thorough bool) ([]shadowDay, error) {
	rows, err := db.Query(ctx, selectRebuildDays, pgx.StrictNamedArgs{
		"spaces": r.Spaces, "from": number(r.From), "to": number(r.To), "thorough": thorough,
	})
	if err != nil {
		return nil, pg.Classify(err)
	}
	days, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d shadowDay, err error) {
		return d, row.Scan(&d.space, &d.day, &d.name)
	})
	return days, pg.Classify(err)
}

// number is a bound of a range as a statement takes it: a date would travel as text.
func number(d *calendar.Date) *int32 { return (*int32)(d) }

// now is those of the days that can be derived, as the transaction sees them:
// sealed ones cannot.
func (sh *shadow) now(ctx context.Context, tx pgx.Tx, days []shadowDay) ([]shadowDay, error) {
	keys, names := make([]dayKey, len(days)), map[int32]string{}
	for i, d := range days {
		keys[i], names[d.space] = d.dayKey, d.name
	}
	rows, err := tx.Query(ctx, selectDayStates, dayArgs(keys))
	if err != nil {
		return nil, pg.Classify(err)
	}
	var (
		found  []shadowDay
		d      shadowDay
		sealed bool
	)
	_, err = pgx.ForEachRow(rows, []any{&d.space, &d.day, &d.version, &sealed, &d.queued}, func() error {
		if d.name = names[d.space]; !sealed {
			found = append(found, d)
		}
		return nil
	})
	return found, pg.Classify(err)
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
			if k := key(event.KeyOf(d.name, sh.store.names.word(f.source), f.id)); k != f.key || f.day != d.day {
				sh.misfiled = append(sh.misfiled, misfiled{d.dayKey, f.id, f.key, k, f.day})
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
