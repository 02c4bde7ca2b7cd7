package store

import (
	"context"
	"maps"
	"slices"

	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// Rebuild derives the visits and rollups of a range of space-days from their
// events, beside what is there, and then swaps it in in one transaction.
// Ingestion goes on meanwhile: a day that changed since it was derived is derived
// once more at the end. Progress is called with the days done and the days in all.
// It returns how many days were rebuilt.
func (s *Store) Rebuild(ctx context.Context, r Range, progress func(done, all int)) (int, error) {
	sh, err := s.openShadow(ctx)
	if err != nil {
		return 0, err
	}
	defer sh.close()
	derived := map[dayKey]int64{} // version that each day had
	err = sh.snapshotDays(ctx, r, func(days []shadowDay) error {
		return chunks(days, func(chunk []shadowDay, done int) error {
			progress(done, len(days))
			return sh.snapshot(ctx, func(tx pgx.Tx) error {
				now, err := sh.versions(ctx, tx, r)
				if err != nil {
					return err
				}
				for _, d := range chunk {
					derived[d.dayKey] = now[d.dayKey].version
				}
				return sh.derive(ctx, tx, chunk)
			})
		})
	})
	if err != nil {
		return 0, err
	}
	err = pgx.BeginFunc(ctx, sh.conn, func(tx pgx.Tx) error { return sh.swap(ctx, tx, r, derived) })
	if err != nil {
		return 0, pg.Classify(err)
	}
	progress(len(derived), len(derived))
	return len(derived), nil
}

// snapshotDays calls fn with the days of the range as they are now.
func (sh *shadow) snapshotDays(ctx context.Context, r Range, fn func([]shadowDay) error) error {
	days, err := sh.days(ctx, sh.conn, r)
	if err != nil {
		return err
	}
	return fn(days)
}

// versions is the days of the range as the transaction sees them.
func (sh *shadow) versions(ctx context.Context, tx pgx.Tx, r Range) (map[dayKey]shadowDay, error) {
	days, err := sh.days(ctx, tx, r)
	found := make(map[dayKey]shadowDay, len(days))
	for _, d := range days {
		found[d.dayKey] = d
	}
	return found, err
}

// swap takes the place of what is there. It is alone with the database: what was
// ingested since is derived here, and nothing comes between.
func (sh *shadow) swap(ctx context.Context, tx pgx.Tx, r Range, derived map[dayKey]int64) error {
	if _, err := tx.Exec(ctx, lockExclusive, pgx.StrictNamedArgs{"lock": writeLock}); err != nil {
		return pg.Classify(err)
	}
	days, err := sh.days(ctx, tx, r)
	if err != nil {
		return err
	}
	touched := map[int32]bool{}
	for _, d := range days {
		touched[d.space] = true
		version, ok := derived[d.dayKey]
		if ok && version == d.version {
			continue
		}
		args := pgx.StrictNamedArgs{"space": d.space, "day": int32(d.day)}
		if _, err := tx.Exec(ctx, clearShadowDay, args); err != nil {
			return pg.Classify(err)
		}
		if err := sh.derive(ctx, tx, []shadowDay{d}); err != nil {
			return err
		}
		derived[d.dayKey] = d.version
	}
	if r.all() {
		if err := sh.swapShared(ctx, tx); err != nil {
			return err
		}
	}
	w := newWriting(sh.store, tx)
	for _, statement := range []string{swapUnits, swapUnitsIn, swapVisits, swapVisitsIn, swapMethods, swapMethodsIn, swapDays} {
		w.queue(statement)
	}
	w.queue(bumpVersions, pgx.StrictNamedArgs{"spaces": slices.Sorted(maps.Keys(touched))})
	return w.flush(ctx)
}

// swapShared derives what is no single day's: tokens, the two old reports and what
// was said of members. Only a rebuild of everything does, since a token's issue and
// its use may lie on any two days.
func (sh *shadow) swapShared(ctx context.Context, tx pgx.Tx) error {
	for _, derive := range []string{deriveTokens, deriveMembers} {
		if _, err := tx.Exec(ctx, derive); err != nil {
			return pg.Classify(err)
		}
	}
	rows, err := tx.Query(ctx, selectAllMembers)
	if err != nil {
		return pg.Classify(err)
	}
	members, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		return pg.Classify(err)
	}
	w := newWriting(sh.store, tx)
	for _, statement := range []string{
		swapMemberChanges, swapMemberChangesIn, swapTokens, swapTokensIn, swapLegacyUsage, swapLegacyUsageIn,
		swapLegacyVisits, swapLegacyVisitsIn,
	} {
		w.queue(statement)
	}
	w.queue(updateMembers, pgx.StrictNamedArgs{"members": members})
	return w.flush(ctx)
}
