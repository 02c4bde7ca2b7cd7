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
	days, err := sh.days(ctx, sh.conn, r, true)
	if err != nil {
		return 0, err
	}
	derived := map[dayKey]shadowDay{} // as each day was
	err = chunks(days, func(chunk []shadowDay, done int) error {
		progress(done, len(days))
		return sh.snapshot(ctx, func(tx pgx.Tx) error {
			chunk, err := sh.now(ctx, tx, chunk)
			if err != nil {
				return err
			}
			for _, d := range chunk {
				derived[d.dayKey] = d
			}
			return sh.derive(ctx, tx, chunk)
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

// swap takes the place of what is there. It is alone with the database: what was
// ingested since is derived here, and nothing comes between.
func (sh *shadow) swap(ctx context.Context, tx pgx.Tx, r Range, derived map[dayKey]shadowDay) error {
	if _, err := tx.Exec(ctx, lockExclusive, pgx.StrictNamedArgs{"lock": writeLock}); err != nil {
		return pg.Classify(err)
	}
	if err := sh.catchUp(ctx, tx, r, derived); err != nil {
		return err
	}
	if r.all() {
		if err := sh.swapShared(ctx, tx); err != nil {
			return err
		}
	}
	touched := map[int32]bool{}
	for k := range derived {
		touched[k.space] = true
	}
	w := newWriting(sh.store, tx)
	for _, statement := range []string{swapUnits, swapUnitsIn, swapVisits, swapVisitsIn, swapMethods, swapMethodsIn, swapDays} {
		w.queue(statement)
	}
	if r.all() { // what is shared is no single space's
		w.queue(bumpAllVersions)
	} else {
		w.queue(bumpVersions, pgx.StrictNamedArgs{"spaces": slices.Sorted(maps.Keys(touched))})
	}
	return w.flush(ctx)
}

// catchUp derives the days that have changed since, and forgets those that were
// sealed since. Whatever was ingested has given its day a row.
func (sh *shadow) catchUp(ctx context.Context, tx pgx.Tx, r Range, derived map[dayKey]shadowDay) error {
	days, err := sh.days(ctx, tx, r, false)
	if err != nil {
		return err
	}
	for _, d := range days {
		if _, ok := derived[d.dayKey]; !ok {
			derived[d.dayKey] = shadowDay{dayKey: d.dayKey, name: d.name, version: -1}
		}
	}
	days, err = sh.now(ctx, tx, slices.Collect(maps.Values(derived)))
	if err != nil {
		return err
	}
	before := maps.Clone(derived)
	clear(derived)
	for _, d := range days {
		was := before[d.dayKey]
		derived[d.dayKey] = d
		delete(before, d.dayKey)
		if was.version == d.version {
			continue
		}
		if err := sh.clear(ctx, tx, d.dayKey); err != nil {
			return err
		}
		if err := sh.derive(ctx, tx, []shadowDay{d}); err != nil {
			return err
		}
	}
	for k := range before {
		if err := sh.clear(ctx, tx, k); err != nil {
			return err
		}
	}
	return nil
}

// clear takes a day out of the temporary tables.
func (sh *shadow) clear(ctx context.Context, tx pgx.Tx, k dayKey) error {
	_, err := tx.Exec(ctx, clearShadowDay, pgx.StrictNamedArgs{"space": k.space, "day": int32(k.day)})
	return pg.Classify(err)
}

// swapShared derives what is no single day's: tokens, the two old reports, what was
// said of members and when sources were last heard of. Only a rebuild of everything does, since a token's issue and
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
		swapLegacyVisits, swapLegacyVisitsIn, rebuildSources, deleteUnheardSources,
	} {
		w.queue(statement)
	}
	w.queue(updateMembers, pgx.StrictNamedArgs{"members": members})
	return w.flush(ctx)
}
