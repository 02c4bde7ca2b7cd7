package store

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"coworking/pkg/calendar"
	"coworking/pkg/event"
	"coworking/pkg/slots"
	"coworking/services/ingest/internal/visit"

	"github.com/jackc/pgx/v5"
)

// tally is what one space-day adds up to: a row of space_day. Events and visits
// are counted in and out of it, so that the difference of two folds is a few
// additions.
type tally struct {
	empty  bool // no unit is stored for it yet, so none need be read
	sealed bool
	queued bool // to be filed anew: nothing is counted until then
	day    visit.Day

	events, late     int64
	checkins, failed int64
	visits, members  int64
	anonymous        int64
	orphans          int64
	estimated        int64
	dwell            int64 // headcount × µs
	dwellEstimated   int64
	slots            slots.Day
	changed          bool
}

// methodKey names a row of method_day, tick what is added to it.
type methodKey struct {
	dayKey
	method, source, reason int32
}

type tick struct{ checkins, failed int64 }

func (m methodKey) compare(o methodKey) int {
	return cmp.Or(m.dayKey.compare(o.dayKey), cmp.Compare(m.method, o.method), cmp.Compare(m.source, o.source),
		cmp.Compare(m.reason, o.reason))
}

// visitDay is a visit day as the fold needs it.
func visitDay(c *calendar.Calendar, day calendar.Date) visit.Day {
	start, end := c.Bounds(day)
	return visit.Day{
		Start: start.UnixMicro(), End: end.UnixMicro(),
		DefaultStay: c.On(day).DefaultStay.Microseconds(),
	}
}

// countEvent counts an event in (sign 1) or out (-1).
func (t *tally) countEvent(f *fact, sign int64, methods map[methodKey]tick) (err error) {
	t.changed = true
	t.events += sign
	if f.late() {
		t.late += sign
	}
	key := methodKey{dayKey: f.dayKey, method: f.method, source: f.source}
	switch {
	case f.isCheckin():
		t.checkins += sign
		if sign > 0 {
			t.slots.AddCheckin(t.span(), f.time)
		} else {
			err = t.slots.SubCheckin(t.span(), f.time)
		}
		n := methods[key]
		n.checkins += sign
		methods[key] = n
	case f.kind == event.CheckInFailed:
		t.failed += sign
		if sign > 0 {
			t.slots.AddFailed(t.span(), f.time)
		} else {
			err = t.slots.SubFailed(t.span(), f.time)
		}
		key.reason = f.reason
		n := methods[key]
		n.failed += sign
		methods[key] = n
	}
	return err
}

// countUnit counts the difference between what a unit folded into before and what
// it folds into now.
func (t *tally) countUnit(before, after visit.Unit, anonymous bool) error {
	t.changed = true
	t.orphans += int64(after.Orphans - before.Orphans)
	t.visits += int64(len(after.Visits) - len(before.Visits))
	if anonymous {
		t.anonymous += int64(len(after.Visits) - len(before.Visits))
	} else {
		t.members += int64(min(1, len(after.Visits)) - min(1, len(before.Visits)))
	}
	for n := range max(len(before.Visits), len(after.Visits)) {
		was, is := visitAt(before, n), visitAt(after, n)
		if was != nil && is != nil && same(was, is) {
			continue
		}
		if was != nil {
			t.countStay(was, -1)
			if err := t.slots.SubVisit(t.span(), stay(was, anonymous)); err != nil {
				return err
			}
		}
		if is != nil {
			t.countStay(is, +1)
			t.slots.AddVisit(t.span(), stay(is, anonymous))
		}
	}
	return nil
}

// same says whether two visits are alike in every respect.
func same(a, b *visit.Visit) bool {
	return a.In == b.In && a.Out == b.Out && a.End == b.End && a.Checkins == b.Checkins && a.Party == b.Party &&
		a.LastTouch == b.LastTouch && a.Method == b.Method && a.Zone == b.Zone && a.Plan == b.Plan && a.Team == b.Team &&
		slices.Equal(a.Gaps, b.Gaps)
}

// countStay counts how long a visit lasted, and how that is known.
func (t *tally) countStay(v *visit.Visit, sign int64) {
	dwell := v.Dwell() * int64(v.Party)
	t.dwell += sign * dwell
	if v.End != visit.Explicit {
		t.estimated += sign
		t.dwellEstimated += sign * dwell
	}
}

func (t *tally) span() slots.Span { return slots.Span{Start: t.day.Start, End: t.day.End} }

// stay is a visit as the slots count it.
func stay(v *visit.Visit, anonymous bool) slots.Visit {
	s := slots.Visit{In: v.In, Out: v.Out, Party: int64(v.Party), Explicit: v.End == visit.Explicit, Anonymous: anonymous}
	for _, g := range v.Gaps {
		s.Away = append(s.Away, slots.Away{From: g.From, To: g.To})
	}
	return s
}

// lockDays locks every space-day that the batch touches, in key order, and reads
// what it adds up to so far.
func (w *writing) lockDays(context.Context) error {
	touched := map[dayKey]*calendar.Calendar{}
	for _, p := range w.events {
		touched[p.dayKey] = p.space.calendar
	}
	for _, p := range w.events { // a void's target is of the void's own space
		if f, ok := w.targets[p.target()]; ok {
			touched[f.dayKey] = p.space.calendar
		}
	}
	if len(touched) == 0 {
		return nil
	}
	args := dayArgs(slices.SortedFunc(maps.Keys(touched), dayKey.compare))
	w.queue(createSpaceDays, args)
	w.ask(lockSpaceDays, args, func(rows pgx.Rows) error {
		var (
			k       dayKey
			version int64 // 0: the row was made by this transaction
			row     tally
			packed  []byte
		)
		_, err := pgx.ForEachRow(rows, []any{
			&k.space, &k.day, &version, &row.sealed, &row.queued, &row.events, &row.late, &row.checkins, &row.failed, &row.visits,
			&row.members, &row.anonymous, &row.orphans, &row.estimated, &row.dwell, &row.dwellEstimated, &packed,
		}, func() (err error) {
			t := row
			t.empty = version == 0
			t.day = visitDay(touched[k], k.day)
			t.slots, err = slots.Decode(packed)
			w.days[k] = &t
			return err
		})
		return err
	})
	return nil
}

// count adds the batch's events to their days and folds their units.
func (w *writing) count(ctx context.Context) error {
	for _, p := range w.fresh {
		if !p.voided && p.kind != event.EventVoided {
			w.counted = append(w.counted, &p.fact)
		}
	}
	return w.tallyUp(ctx)
}

// tallyUp counts what counts and uncounts what was taken back. A day that is queued
// to be filed anew is left alone: its turn counts everything.
func (w *writing) tallyUp(ctx context.Context) error {
	if err := w.gatherUnits(ctx); err != nil {
		return err
	}
	for _, f := range w.counted {
		if t := w.days[f.dayKey]; !t.queued {
			if err := t.countEvent(f, +1, w.methods); err != nil {
				return err
			}
		}
	}
	for _, f := range w.revoked {
		if t := w.days[f.dayKey]; !t.queued {
			if err := t.countEvent(f, -1, w.methods); err != nil {
				return err
			}
		}
	}
	for k, u := range w.units {
		if err := u.fold(w.days[k.dayKey]); err != nil {
			return err
		}
	}
	return nil
}

// writeDays stores what the touched space-days add up to now.
func (w *writing) writeDays(context.Context) error {
	type columns struct {
		Spaces         []int32  `db:"spaces"`
		Days           []int32  `db:"days"`
		Events         []int64  `db:"events"`
		Late           []int64  `db:"late"`
		Checkins       []int64  `db:"checkins"`
		Failed         []int64  `db:"failed"`
		Visits         []int64  `db:"visits"`
		Members        []int64  `db:"members"`
		Anonymous      []int64  `db:"anonymous"`
		Orphans        []int64  `db:"orphans"`
		Estimated      []int64  `db:"estimated"`
		Dwell          []int64  `db:"dwell_us"`
		DwellEstimated []int64  `db:"dwell_estimated_us"`
		Slots          [][]byte `db:"slots"`
	}
	var c columns
	for _, k := range slices.SortedFunc(maps.Keys(w.days), dayKey.compare) {
		t := w.days[k]
		if !t.changed {
			continue
		}
		c.Spaces, c.Days = append(c.Spaces, k.space), append(c.Days, int32(k.day))
		c.Events, c.Late = append(c.Events, t.events), append(c.Late, t.late)
		c.Checkins, c.Failed = append(c.Checkins, t.checkins), append(c.Failed, t.failed)
		c.Visits, c.Members = append(c.Visits, t.visits), append(c.Members, t.members)
		c.Anonymous, c.Orphans = append(c.Anonymous, t.anonymous), append(c.Orphans, t.orphans)
		c.Estimated = append(c.Estimated, t.estimated)
		c.Dwell, c.DwellEstimated = append(c.Dwell, t.dwell), append(c.DwellEstimated, t.dwellEstimated)
		c.Slots = append(c.Slots, t.slots.Append(nil))
	}
	if len(c.Spaces) > 0 {
		w.queue(updateSpaceDays, pgx.StrictStructArgs(c))
	}
	return nil
}

// writeMethods adds up how people came.
func (w *writing) writeMethods(context.Context) error {
	type columns struct {
		Spaces   []int32 `db:"spaces"`
		Days     []int32 `db:"days"`
		Methods  []int32 `db:"methods"`
		Sources  []int32 `db:"sources"`
		Reasons  []int32 `db:"reasons"`
		Checkins []int64 `db:"checkins"`
		Failed   []int64 `db:"failed"`
	}
	var c columns
	for _, k := range slices.SortedFunc(maps.Keys(w.methods), methodKey.compare) {
		n := w.methods[k]
		c.Spaces, c.Days = append(c.Spaces, k.space), append(c.Days, int32(k.day))
		c.Methods, c.Sources, c.Reasons = append(c.Methods, k.method), append(c.Sources, k.source), append(c.Reasons, k.reason)
		c.Checkins, c.Failed = append(c.Checkins, n.checkins), append(c.Failed, n.failed)
	}
	if len(c.Spaces) == 0 {
		return nil
	}
	w.queue(upsertMethodDay, pgx.StrictStructArgs(c))
	if len(w.revoked) > 0 {
		w.queue(deleteEmptyMethodDay, pgx.StrictNamedArgs{"spaces": c.Spaces, "days": c.Days})
	}
	return nil
}

func dayArgs(keys []dayKey) pgx.StrictNamedArgs {
	spaces, days := make([]int32, len(keys)), make([]int32, len(keys))
	for i, k := range keys {
		spaces[i], days[i] = k.space, int32(k.day)
	}
	return pgx.StrictNamedArgs{"spaces": spaces, "days": days}
}
