package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/event"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// writeSettings keeps what was said of spaces and queues the space-days that must
// be filed anew for it. Only a group that is alone with the database comes here.
func (w *writing) writeSettings(ctx context.Context) error {
	changed := map[int32]*space{}
	if err := w.insertSpaceChanges(ctx, changed); err != nil {
		return err
	}
	if err := w.deleteSpaceChanges(ctx, changed); err != nil {
		return err
	}
	if len(changed) == 0 {
		return nil
	}
	ids := slices.Sorted(maps.Keys(changed))
	if _, err := w.tx.Exec(ctx, updateSettings, pgx.StrictNamedArgs{"spaces": ids}); err != nil {
		return pg.Classify(err)
	}
	changes, err := spaceChanges(ctx, w.tx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := w.queueRefile(ctx, id, changed[id].calendar, calendar.New(changes[id])); err != nil {
			return err
		}
	}
	return nil
}

func (w *writing) insertSpaceChanges(ctx context.Context, changed map[int32]*space) error {
	type columns struct {
		Keys    []key       `db:"keys"`
		Spaces  []int32     `db:"spaces"`
		Times   []time.Time `db:"times"`
		Sources []string    `db:"sources"`
		IDs     []string    `db:"ids"`
		Data    []string    `db:"data"`
	}
	var c columns
	for _, p := range w.fresh {
		if p.kind != event.SpaceUpserted || p.voided {
			continue
		}
		changed[p.space.id] = p.space
		c.Keys, c.Spaces = append(c.Keys, p.key), append(c.Spaces, p.space.id)
		c.Times = append(c.Times, p.in.Event.Time)
		c.Sources, c.IDs = append(c.Sources, p.in.Event.Source), append(c.IDs, p.id)
		c.Data = append(c.Data, string(p.data))
	}
	if len(c.Keys) == 0 {
		return nil
	}
	_, err := w.tx.Exec(ctx, insertSpaceChanges, pgx.StrictStructArgs(c))
	return pg.Classify(err)
}

func (w *writing) deleteSpaceChanges(ctx context.Context, changed map[int32]*space) error {
	keys := keysOf(w.revoked, event.SpaceUpserted)
	if len(keys) == 0 {
		return nil
	}
	if _, err := w.tx.Exec(ctx, deleteSpaceChanges, pgx.StrictNamedArgs{"keys": keys}); err != nil {
		return pg.Classify(err)
	}
	for _, p := range w.fresh { // a void is of its target's space
		if f, ok := w.targets[p.target()]; ok && f.kind == event.SpaceUpserted {
			changed[p.space.id] = p.space
		}
	}
	return nil
}

// queueRefile queues the days that the new calendar cuts otherwise or lets stay
// longer: those that are filed under the old one, and those that their events go
// to. Until its turn comes a queued day is left alone.
func (w *writing) queueRefile(ctx context.Context, id int32, before, after *calendar.Calendar) error {
	rows, err := w.tx.Query(ctx, selectFiledDays, pgx.StrictNamedArgs{"space": id})
	if err != nil {
		return pg.Classify(err)
	}
	filed, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		return pg.Classify(err)
	}
	queued := map[calendar.Date]bool{}
	for _, n := range filed {
		day := calendar.Date(n)
		if sameDay(before, after, day) {
			continue
		}
		start, end := before.Bounds(day)
		for d := after.Day(start); d <= after.Day(end.Add(-time.Microsecond)); d++ {
			queued[d] = true
		}
		queued[day] = true
	}
	if len(queued) == 0 {
		return nil
	}
	days := slices.Sorted(maps.Keys(queued))
	ids := slices.Repeat([]int32{id}, len(days))
	_, err = w.tx.Exec(ctx, queueRefile, pgx.StrictNamedArgs{"spaces": ids, "days": days})
	return pg.Classify(err)
}

// sameDay says whether a day means the same on both calendars: the same instants,
// and visits without a check-out end alike.
func sameDay(a, b *calendar.Calendar, day calendar.Date) bool {
	aStart, aEnd := a.Bounds(day)
	bStart, bEnd := b.Bounds(day)
	return aStart.Equal(bStart) && aEnd.Equal(bEnd) && a.On(day).DefaultStay == b.On(day).DefaultStay
}
