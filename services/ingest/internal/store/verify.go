package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// Difference is a row that is not what its events amount to. Space and Day name
// the space-day, where it is one's; Key is the rest of the row's key. Stored is
// the row as it stands, null if it is missing; Derived as it should be, null if it
// should not be there.
type Difference struct {
	Table   string          `json:"table"`
	Space   string          `json:"space,omitempty"`
	Day     string          `json:"day,omitempty"`
	Key     string          `json:"key,omitempty"`
	Stored  json.RawMessage `json:"stored"`
	Derived json.RawMessage `json:"derived"`

	day dayKey
}

// Verified is what a verification of the rollups looked at, and found.
type Verified struct {
	SpaceDays   int          `json:"space_days"`
	Refiling    int          `json:"refiling"` // space-days left out: they are queued to be filed anew
	Differences []Difference `json:"differences"`
}

// VerifyRollups derives a range of space-days from their events, beside what is
// there, and tells every row that differs. It changes nothing, and ingestion goes
// on meanwhile.
func (s *Store) VerifyRollups(ctx context.Context, r Range, progress func(done, all int)) (Verified, error) {
	found := Verified{Differences: []Difference{}}
	sh, err := s.openShadow(ctx)
	if err != nil {
		return found, err
	}
	defer sh.close()
	days, err := sh.days(ctx, sh.conn, r, true)
	if err != nil {
		return found, err
	}
	err = chunks(days, func(chunk []shadowDay, done int) error {
		progress(done, len(days))
		return sh.snapshot(ctx, func(tx pgx.Tx) error { return sh.compareDays(ctx, tx, chunk, &found) })
	})
	if err != nil {
		return found, err
	}
	if err := sh.snapshot(ctx, func(tx pgx.Tx) error { return sh.compareShared(ctx, tx, &found) }); err != nil {
		return found, err
	}
	progress(len(days), len(days))
	return found, nil
}

// compareDays tells which rows of the chunk differ from what its events amount to.
func (sh *shadow) compareDays(ctx context.Context, tx pgx.Tx, chunk []shadowDay, found *Verified) error {
	if _, err := tx.Exec(ctx, truncateShadow); err != nil {
		return pg.Classify(err)
	}
	chunk, err := sh.now(ctx, tx, chunk)
	if err != nil {
		return err
	}
	names := map[int32]string{}
	var settled []shadowDay
	var keys []dayKey
	for _, d := range chunk {
		names[d.space] = d.name
		if d.queued {
			found.Refiling++
			continue
		}
		settled, keys = append(settled, d), append(keys, d.dayKey)
	}
	found.SpaceDays += len(settled)
	if err := sh.derive(ctx, tx, settled); err != nil {
		return err
	}
	for _, m := range sh.misfiled {
		found.Differences = append(found.Differences, Difference{
			Table: "events", Space: names[m.space], Day: m.day.String(), Key: m.id, day: m.dayKey,
			Stored:  json.RawMessage(fmt.Sprintf(`{"key":"%x","day":"%s"}`, m.stored, m.storedDay)),
			Derived: json.RawMessage(fmt.Sprintf(`{"key":"%x","day":"%s"}`, m.derived, m.day)),
		})
	}
	sh.misfiled = nil
	for _, c := range []struct{ table, sql string }{
		{"space_day", compareSpaceDays},
		{"member_day", compareUnits},
		{"more_visits", compareMoreVisits},
		{"method_day", compareMethods},
	} {
		rows, err := tx.Query(ctx, c.sql, dayArgs(keys))
		if err != nil {
			return pg.Classify(err)
		}
		differences, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Difference, error) {
			d := Difference{Table: c.table}
			err := row.Scan(&d.day.space, &d.day.day, &d.Stored, &d.Derived)
			d.Space, d.Day = names[d.day.space], d.day.day.String()
			return d, err
		})
		if err != nil {
			return pg.Classify(err)
		}
		found.Differences = append(found.Differences, differences...)
	}
	return nil
}

// compareShared tells which rows differ of the tables that are no single day's.
func (sh *shadow) compareShared(ctx context.Context, tx pgx.Tx, found *Verified) error {
	for _, derive := range []string{deriveTokens, deriveMembers} {
		if _, err := tx.Exec(ctx, derive); err != nil {
			return pg.Classify(err)
		}
	}
	for _, sql := range []string{
		compareTokens, compareLegacyUsage, compareLegacyDays, compareLegacyVisits, compareMemberChanges, compareMembers,
		compareSpaceChanges, compareSources,
	} {
		rows, err := tx.Query(ctx, sql)
		if err != nil {
			return pg.Classify(err)
		}
		differences, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Difference, error) {
			var d Difference
			return d, row.Scan(&d.Table, &d.day.space, &d.Key, &d.Stored, &d.Derived)
		})
		if err != nil {
			return pg.Classify(err)
		}
		found.Differences = append(found.Differences, differences...)
	}
	return nil
}

// Fix recomputes what differs, alone with the database: each space-day in a
// transaction of its own, and, where something differs that is no single day's,
// all of that in another. It returns how many space-days there were. Days that
// another calendar cuts otherwise are queued to be filed anew.
func (s *Store) Fix(ctx context.Context, differences []Difference) (int, error) {
	fixed, spaces, shared := map[dayKey]bool{}, map[int32]bool{}, false
	for _, d := range differences {
		switch {
		case d.Table == "space_changes":
			spaces[d.day.space] = true
		case d.Day == "":
			shared = true
		case !fixed[d.day]:
			fixed[d.day] = true
			if err := s.alone(ctx, func(tx pgx.Tx) error { return s.recompute(ctx, tx, d.day) }); err != nil {
				return len(fixed), err
			}
		}
	}
	for _, space := range slices.Sorted(maps.Keys(spaces)) {
		if err := s.alone(ctx, func(tx pgx.Tx) error { return s.fixSettings(ctx, tx, space) }); err != nil {
			return len(fixed), err
		}
	}
	if shared {
		return len(fixed), s.fixShared(ctx)
	}
	return len(fixed), nil
}

// alone runs fn in a transaction while nobody else writes.
func (s *Store) alone(ctx context.Context, fn func(pgx.Tx) error) error {
	return pg.Classify(pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockExclusive, pgx.StrictNamedArgs{"lock": writeLock}); err != nil {
			return pg.Classify(err)
		}
		return fn(tx)
	}))
}

// fixSettings takes what was said of a space from its events, and queues the days
// that lie elsewhere then.
func (s *Store) fixSettings(ctx context.Context, tx pgx.Tx, space int32) error {
	spaces := []int32{space}
	before, err := spaceChanges(ctx, tx, spaces)
	if err != nil {
		return err
	}
	w := newWriting(s, tx)
	w.queue(swapSpaceChanges, pgx.StrictNamedArgs{"space": space})
	w.queue(swapSpaceChangesIn, pgx.StrictNamedArgs{"space": space})
	w.queue(updateSettings, pgx.StrictNamedArgs{"spaces": spaces})
	w.queue(bumpVersions, pgx.StrictNamedArgs{"spaces": spaces})
	if err := w.flush(ctx); err != nil {
		return err
	}
	after, err := spaceChanges(ctx, tx, spaces)
	if err != nil {
		return err
	}
	return w.queueRefile(ctx, space, calendar.New(before[space]), calendar.New(after[space]))
}

// fixShared takes what is no single day's from the events.
func (s *Store) fixShared(ctx context.Context) error {
	sh, err := s.openShadow(ctx)
	if err != nil {
		return err
	}
	defer sh.close()
	return pg.Classify(pgx.BeginFunc(ctx, sh.conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockExclusive, pgx.StrictNamedArgs{"lock": writeLock}); err != nil {
			return pg.Classify(err)
		}
		if err := sh.swapShared(ctx, tx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, bumpAllVersions)
		return pg.Classify(err)
	}))
}

// Unaccounted is the sequences of messages that are neither accepted nor buried:
// what the stream has acknowledged and the database has lost.
func (s *Store) Unaccounted(ctx context.Context, batch []Incoming) ([]int64, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	seqs, keys := make([]int64, len(batch)), make([]*key, len(batch))
	for i := range batch {
		seqs[i] = int64(batch[i].Sequence)
		if batch[i].Fault == nil {
			k := key(batch[i].Event.Key())
			keys[i] = &k
		}
	}
	rows, err := s.pool.Query(ctx, unaccounted, pgx.StrictNamedArgs{"seqs": seqs, "keys": keys, "stream": batch[0].Stream})
	if err != nil {
		return nil, pg.Classify(err)
	}
	lost, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	return lost, pg.Classify(err)
}

// KeepVerification keeps what a verification found.
func (s *Store) KeepVerification(ctx context.Context, started, finished time.Time, equal bool, report json.RawMessage) error {
	_, err := s.pool.Exec(ctx, insertVerification, pgx.StrictNamedArgs{
		"started": started, "finished": finished, "equal": equal, "report": report,
	})
	return pg.Classify(err)
}
