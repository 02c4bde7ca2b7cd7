package store

import (
	"bytes"
	"context"
	"slices"

	"coworking/pkg/event"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// target is the key of the event that a void takes back: always one of its own
// space.
func (p *prepared) target() key {
	return event.KeyOf(p.in.Event.Space, p.in.Event.Data.VoidSource, p.in.Event.Data.VoidID)
}

// findTargets reads the events that the batch takes back, as far as they are
// there. The exclusive lock is held, so none can slip in behind.
func (w *writing) findTargets(ctx context.Context) error {
	if w.group.kind != voidGroup {
		return nil
	}
	if err := w.flush(ctx); err != nil { // the lock, first
		return err
	}
	keys := make([]key, len(w.events))
	for i, p := range w.events {
		keys[i] = p.target()
	}
	rows, err := w.tx.Query(ctx, selectFactsByKey, pgx.StrictNamedArgs{"keys": keys})
	if err != nil {
		return pg.Classify(err)
	}
	facts, err := pgx.CollectRows(rows, w.store.scanFact)
	for _, f := range facts {
		w.targets[f.key] = f
	}
	for _, p := range w.events {
		if f, ok := w.targets[p.target()]; ok {
			// Its row may still name a day of older settings, which was filed anew
			// without it; the day of the newer ones is queued then, or counts it.
			f.day = p.space.calendar.DayAt(f.time)
		}
	}
	return pg.Classify(err)
}

// targetsSealedDay says whether the event is a void that comes too late: what it
// takes back was sealed.
func (w *writing) targetsSealedDay(p *prepared) bool {
	if p.kind != event.EventVoided {
		return false
	}
	target, ok := w.targets[p.target()]
	return ok && w.days[target.dayKey].sealed
}

// applyVoids marks the events that are taken back: those of this batch whose void
// came before them, and those stored before that this batch's voids name. A void
// that is aimed at a void has no effect, whenever it arrives.
func (w *writing) applyVoids(ctx context.Context) error {
	if w.group.kind == voidGroup {
		return w.revoke(ctx)
	}
	for _, p := range w.fresh {
		p.voided = w.voided[p.key]
	}
	return nil
}

// revoke remembers every target, also those that have not come yet, and takes back
// those that are there and still count.
func (w *writing) revoke(ctx context.Context) error {
	if len(w.fresh) == 0 {
		return nil
	}
	var targets, found []key
	for _, p := range w.fresh {
		targets = append(targets, p.target())
	}
	slices.SortFunc(targets, func(a, b key) int { return bytes.Compare(a[:], b[:]) })
	targets = slices.Compact(targets)
	for _, k := range targets {
		if f, ok := w.targets[k]; ok && !f.voided && f.kind != event.EventVoided {
			found = append(found, k)
			w.revoked = append(w.revoked, f)
		}
	}
	w.queue(insertVoids, pgx.StrictNamedArgs{"targets": targets})
	if len(found) > 0 {
		w.queue(voidEvents, pgx.StrictNamedArgs{"keys": found})
	}
	return w.flush(ctx)
}
