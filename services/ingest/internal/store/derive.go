package store

import (
	"context"
	"errors"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/event"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// deriveDay writes everything that a space-day's events amount to, from the events
// alone, into tables that hold nothing of it yet. It is the batch's own counting on
// an empty day: what files a day anew, rebuilds it and verifies it is one thing.
func (s *Store) deriveDay(ctx context.Context, tx pgx.Tx, k dayKey, c *calendar.Calendar, facts []*fact) error {
	w := newWriting(s, tx)
	w.days[k] = &tally{empty: true, day: visitDay(c, k.day), changed: true}
	for _, f := range facts {
		if f.kind != event.EventVoided {
			f.dayKey = k
			w.counted = append(w.counted, f)
		}
	}
	if err := w.tallyUp(ctx); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, createSpaceDays, dayArgs([]dayKey{k})); err != nil {
		return pg.Classify(err)
	}
	for _, step := range []func(context.Context) error{w.writeUnits, w.writeDays, w.writeMethods, w.flush} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// factsOf is what counts on a visit day, in the order of the fold.
func (s *Store) factsOf(ctx context.Context, tx pgx.Tx, k dayKey, c *calendar.Calendar) ([]*fact, error) {
	start, end := c.Bounds(k.day)
	rows, err := tx.Query(ctx, selectFactsByTime, pgx.StrictNamedArgs{"space": k.space, "start": start, "end": end})
	if err != nil {
		return nil, pg.Classify(err)
	}
	facts, err := pgx.CollectRows(rows, s.scanFact)
	if err != nil {
		return nil, pg.Classify(err)
	}
	for _, f := range facts {
		if s.names.word(f.source) == "" { // another process met it first
			return facts, s.names.load(ctx, tx)
		}
	}
	return facts, nil
}

// Refile files the next queued space-day anew, in a transaction of its own, alone
// with the database. It returns false if none was queued.
func (s *Store) Refile(ctx context.Context) (bool, error) {
	found := false
	err := s.alone(ctx, func(tx pgx.Tx) error {
		var k dayKey
		err := tx.QueryRow(ctx, nextRefile).Scan(&k.space, &k.day)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return pg.Classify(err)
		}
		found = true
		return s.refileDay(ctx, tx, k)
	})
	return found, err
}

func (s *Store) refileDay(ctx context.Context, tx pgx.Tx, k dayKey) error {
	if err := s.recompute(ctx, tx, k); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, dequeueRefile, pgx.StrictNamedArgs{"space": k.space, "day": int32(k.day)})
	return pg.Classify(err)
}

// recompute replaces everything that is kept of a space-day by what its events
// amount to. The exclusive lock is held. A sealed day stays as it is: its events
// are gone.
func (s *Store) recompute(ctx context.Context, tx pgx.Tx, k dayKey) error {
	sealed, err := lockDay(ctx, tx, k)
	if err != nil || sealed {
		return err
	}
	changes, err := spaceChanges(ctx, tx, []int32{k.space})
	if err != nil {
		return err
	}
	c := calendar.New(changes[k.space])
	w := newWriting(s, tx)
	start, end := c.Bounds(k.day)
	day := pgx.StrictNamedArgs{"space": k.space, "day": int32(k.day)}
	w.queue(fileEvents, pgx.StrictNamedArgs{"space": k.space, "day": int32(k.day), "start": start, "end": end})
	w.queue(clearUnits, day)
	w.queue(clearVisits, day)
	w.queue(clearMethods, day)
	if err := w.flush(ctx); err != nil {
		return err
	}
	facts, err := s.factsOf(ctx, tx, k, c)
	if err != nil {
		return err
	}
	if err := s.deriveDay(ctx, tx, k, c, facts); err != nil {
		return err
	}
	w.queue(bumpVersions, pgx.StrictNamedArgs{"spaces": []int32{k.space}})
	return w.flush(ctx)
}

// lockDay locks the row of a space-day, which it makes if need be, and says
// whether it is sealed.
func lockDay(ctx context.Context, tx pgx.Tx, k dayKey) (sealed bool, err error) {
	if _, err := tx.Exec(ctx, createSpaceDays, dayArgs([]dayKey{k})); err != nil {
		return false, pg.Classify(err)
	}
	err = tx.QueryRow(ctx, lockSpaceDay, pgx.StrictNamedArgs{"space": k.space, "day": int32(k.day)}).Scan(&sealed)
	return sealed, pg.Classify(err)
}

// RunRefiling files queued days anew until the context ends, and looks for more
// each second, or as soon as it is woken.
func (s *Store) RunRefiling(ctx context.Context, failed func(error)) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for ctx.Err() == nil {
		found, err := s.Refile(ctx)
		if err != nil && ctx.Err() == nil {
			failed(err)
		}
		if found && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}
