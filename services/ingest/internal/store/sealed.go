package store

import (
	"context"
	"slices"

	"coworking/pkg/calendar"
	"coworking/pkg/event"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// movesSealedDay says whether the event changes a space's settings, or takes a
// change back, so that a sealed day would begin or end elsewhere. Its events are
// gone, so it cannot be filed anew: the event comes too late.
func (w *writing) movesSealedDay(ctx context.Context, p *prepared) (bool, error) {
	if !w.tellsOfSettings(p) {
		return false, nil
	}
	rows, err := w.tx.Query(ctx, selectSealedDays, pgx.StrictNamedArgs{"space": p.space.id})
	if err != nil {
		return false, pg.Classify(err)
	}
	days, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil || len(days) == 0 {
		return false, pg.Classify(err)
	}
	changes, err := spaceChanges(ctx, w.tx, []int32{p.space.id})
	if err != nil {
		return false, err
	}
	said := changes[p.space.id]
	for _, q := range append(slices.Clone(w.fresh), p) {
		if q.space != p.space || !w.tellsOfSettings(q) {
			continue
		}
		if said, err = q.changed(said); err != nil {
			return false, err
		}
	}
	after := calendar.New(said)
	for _, d := range days {
		start, end := p.space.calendar.Span(calendar.Date(d))
		if newStart, newEnd := after.Span(calendar.Date(d)); newStart != start || newEnd != end {
			return true, nil
		}
	}
	return false, nil
}

func (w *writing) tellsOfSettings(p *prepared) bool {
	if p.kind == event.EventVoided {
		target, ok := w.targets[p.target()]
		return ok && target.kind == event.SpaceUpserted
	}
	return p.kind == event.SpaceUpserted
}

// changed is what was said of a space with this event's word added or taken back.
func (p *prepared) changed(said []calendar.Change) ([]calendar.Change, error) {
	e := &p.in.Event
	if p.kind == event.EventVoided {
		return slices.DeleteFunc(said, func(c calendar.Change) bool {
			return c.Source == e.Data.VoidSource && c.ID == e.Data.VoidID
		}), nil
	}
	change, err := calendar.ParseChange(e.Time, e.Source, e.ID, p.data)
	return append(said, change), err
}
