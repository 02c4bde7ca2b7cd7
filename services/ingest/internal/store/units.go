package store

import (
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"time"

	"coworking/services/ingest/internal/visit"

	"github.com/jackc/pgx/v5"
)

// unit is what a batch does to one member's day in one space, or to one anonymous
// event, which is a unit of its own.
type unit struct {
	stored  bool // has a row
	events  []visit.Event
	added   []visit.Event
	removed []key

	before, after visit.Unit
	anonymous     []anonymousVisit
}

// anonymousVisit is an anonymous event's unit, counted in or out.
type anonymousVisit struct {
	event visit.Event
	sign  int64
	unit  visit.Unit
}

// gatherUnits finds the units that the batch touches and reads the events they are
// made of so far. A day that is new has no units, so nothing is read for it.
func (w *writing) gatherUnits(ctx context.Context) error {
	for _, f := range w.counted {
		if v, ok := f.visitEvent(); ok && !w.days[f.dayKey].queued {
			u := w.unit(f.unit())
			if f.member == 0 {
				u.anonymous = append(u.anonymous, anonymousVisit{event: v, sign: +1})
			} else {
				u.added = append(u.added, v)
			}
		}
	}
	for _, f := range w.revoked {
		if v, ok := f.visitEvent(); ok && !w.days[f.dayKey].queued {
			u := w.unit(f.unit())
			if f.member == 0 {
				u.anonymous = append(u.anonymous, anonymousVisit{event: v, sign: -1})
			} else {
				u.removed = append(u.removed, f.key)
			}
		}
	}
	missing := map[unitKey]bool{}
	for k, u := range w.units {
		if w.days[k.dayKey].empty || k.member == 0 {
			continue
		}
		state, read := w.foreseen[k]
		if !read {
			missing[k] = true
			continue
		}
		if err := u.restore(state); err != nil {
			return err
		}
	}
	if len(missing) == 0 {
		return nil
	}
	w.askUnits(missing, func(k unitKey, state []byte) error { return w.units[k].restore(state) })
	return w.flush(ctx)
}

// foreseeUnits asks, with what a small batch asks first anyway, for the units that it
// will most likely touch: those of people who are known. A large batch waits until it
// knows which of them are on days that are new.
func (w *writing) foreseeUnits(context.Context) error {
	if w.group.kind != ordinaryGroup || len(w.events) > few {
		return nil
	}
	likely := map[unitKey]bool{}
	for _, p := range w.events {
		member, known := w.store.members.id(w.memberSettings(), p.in.Event.Member)
		if _, folds := p.visitEvent(); folds && known {
			k := unitKey{p.dayKey, member}
			likely[k], w.foreseen[k] = true, nil
		}
	}
	if len(likely) > 0 {
		w.askUnits(likely, func(k unitKey, state []byte) error {
			w.foreseen[k] = state
			return nil
		})
	}
	return nil
}

// askUnits queues the question for what units are made of so far. Only those that have
// a row are answered.
func (w *writing) askUnits(keys map[unitKey]bool, answer func(k unitKey, state []byte) error) {
	var spaces, days, members []int32
	for k := range keys {
		spaces, days, members = append(spaces, k.space), append(days, int32(k.day)), append(members, k.member)
	}
	w.ask(selectUnits, pgx.StrictNamedArgs{"spaces": spaces, "days": days, "members": members}, func(rows pgx.Rows) error {
		var (
			k     unitKey
			state []byte
		)
		_, err := pgx.ForEachRow(rows, []any{&k.space, &k.day, &k.member, &state}, func() error { return answer(k, state) })
		return err
	})
}

// restore reads what the unit's row holds; nil where it has none.
func (u *unit) restore(state []byte) (err error) {
	if state != nil {
		u.stored = true
		u.events, err = visit.Decode(state)
	}
	return err
}

func (w *writing) unit(k unitKey) *unit {
	u := w.units[k]
	if u == nil {
		if len(w.room) == 0 {
			w.room = make([]unit, 256)
		}
		u, w.room = &w.room[0], w.room[1:]
		w.units[k] = u
	}
	return u
}

// fold folds the unit as it was and as it is now, and gives its day the
// difference.
func (u *unit) fold(t *tally) error {
	u.before = visit.Fold(t.day, u.events)
	for _, k := range u.removed {
		u.events = visit.Remove(u.events, k)
	}
	u.events = visit.Insert(u.events, u.added...)
	u.after = visit.Fold(t.day, u.events)
	if err := t.countUnit(u.before, u.after, false); err != nil {
		return err
	}
	for i := range u.anonymous {
		a := &u.anonymous[i]
		a.unit = visit.Fold(t.day, []visit.Event{a.event})
		before, after := visit.Unit{}, a.unit
		if a.sign < 0 {
			before, after = a.unit, visit.Unit{}
		}
		if err := t.countUnit(before, after, true); err != nil {
			return err
		}
	}
	return nil
}

// writeUnits stores the difference that the batch makes to units and visits.
func (w *writing) writeUnits(ctx context.Context) error {
	var (
		fresh         []unitRow
		changed       unitColumns
		goneUnits     unitColumns
		more          []visitRow
		goneMore      visitKeys
		keys          = slices.SortedFunc(maps.Keys(w.units), unitKey.compare)
		appendVisit   = func(k unitKey, n int64, v *visit.Visit) { more = append(more, visitRow{k, n, v}) }
		withoutEvents = func(u *unit) bool { return len(u.events) == 0 }
	)
	for _, k := range keys {
		u := w.units[k]
		if k.member == 0 {
			for i := range u.anonymous {
				a := &u.anonymous[i]
				for j := range a.unit.Visits { // one, or none for a check-out
					if a.sign > 0 {
						appendVisit(k, anonymousNumber(a.event.Key), &a.unit.Visits[j])
					} else {
						goneMore.add(k, anonymousNumber(a.event.Key))
					}
				}
			}
			continue
		}
		switch {
		case withoutEvents(u):
			goneUnits.add(k, u)
		case u.stored:
			changed.add(k, u)
		default:
			fresh = append(fresh, unitRow{k, u})
		}
		for n := 1; n < max(len(u.before.Visits), len(u.after.Visits)); n++ {
			was, is := visitAt(u.before, n), visitAt(u.after, n)
			if was != nil && is != nil && same(was, is) {
				continue
			}
			if was != nil {
				goneMore.add(k, int64(n))
			}
			if is != nil {
				appendVisit(k, int64(n), is)
			}
		}
	}
	if len(goneMore.Spaces) > 0 {
		w.queue(deleteMoreVisits, pgx.StrictStructArgs(goneMore))
	}
	if len(goneUnits.Spaces) > 0 {
		w.queue(deleteUnits, pgx.StrictNamedArgs{
			"spaces": goneUnits.Spaces, "days": goneUnits.Days, "members": goneUnits.Members,
		})
	}
	if len(changed.Spaces) > 0 {
		w.queue(updateUnits, pgx.StrictStructArgs(changed))
	}
	if err := w.insertUnits(ctx, fresh); err != nil {
		return err
	}
	return w.insertVisits(ctx, more)
}

// visitAt is the n-th visit, nil if there are fewer.
func visitAt(u visit.Unit, n int) *visit.Visit {
	if n >= len(u.Visits) {
		return nil
	}
	return &u.Visits[n]
}

// anonymousNumber tells anonymous visits of a day apart: 63 bits of the key.
func anonymousNumber(k key) int64 { return int64(binary.BigEndian.Uint64(k[8:]) >> 1) }

// unitColumns are rows of member_day, column by column.
type unitColumns struct {
	Spaces    []int32      `db:"spaces"`
	Days      []int32      `db:"days"`
	Members   []int32      `db:"members"`
	Visits    []int32      `db:"visits"`
	Checkins  []int32      `db:"checkins"`
	Orphans   []int32      `db:"orphans"`
	InAt      []*time.Time `db:"in_at"`
	OutAt     []*time.Time `db:"out_at"`
	EndReason []*int16     `db:"end_reason"`
	Touches   []*int32     `db:"touches"`
	Party     []*int32     `db:"party_size"`
	Away      []*string    `db:"away"`
	LastTouch []*time.Time `db:"last_touch"`
	Method    []*int32     `db:"method"`
	Zone      []*int32     `db:"zone"`
	Plan      []*int32     `db:"plan"`
	Team      []*int32     `db:"team"`
	State     [][]byte     `db:"state"`
}

func (c *unitColumns) add(k unitKey, u *unit) {
	r := newVisitColumns(visitAt(u.after, 0))
	c.Spaces, c.Days, c.Members = append(c.Spaces, k.space), append(c.Days, int32(k.day)), append(c.Members, k.member)
	c.Visits, c.Checkins = append(c.Visits, int32(len(u.after.Visits))), append(c.Checkins, int32(u.after.Checkins))
	c.Orphans = append(c.Orphans, int32(u.after.Orphans))
	c.InAt, c.OutAt, c.EndReason = append(c.InAt, r.in), append(c.OutAt, r.out), append(c.EndReason, r.reason)
	c.Touches, c.Party, c.LastTouch = append(c.Touches, r.touches), append(c.Party, r.party), append(c.LastTouch, r.lastTouch)
	c.Away = append(c.Away, arrayText(r.away))
	c.Method, c.Zone = append(c.Method, r.method), append(c.Zone, r.zone)
	c.Plan, c.Team = append(c.Plan, r.plan), append(c.Team, r.team)
	c.State = append(c.State, visit.Append(nil, u.events))
}

// visitKeys names rows of more_visits, column by column.
type visitKeys struct {
	Spaces  []int32 `db:"spaces"`
	Days    []int32 `db:"days"`
	Members []int32 `db:"members"`
	Ns      []int64 `db:"ns"`
}

func (c *visitKeys) add(k unitKey, n int64) {
	c.Spaces, c.Days = append(c.Spaces, k.space), append(c.Days, int32(k.day))
	c.Members, c.Ns = append(c.Members, k.member), append(c.Ns, n)
}

// visitColumns is a visit as columns; all nil where there is none.
type visitColumns struct {
	in, out, lastTouch       *time.Time
	reason                   *int16
	touches, party           *int32
	away                     []time.Time
	method, zone, plan, team *int32
}

func newVisitColumns(v *visit.Visit) visitColumns {
	if v == nil {
		return visitColumns{}
	}
	var away []time.Time
	for _, gap := range v.Gaps {
		away = append(away, time.UnixMicro(gap.From), time.UnixMicro(gap.To))
	}
	reason := int16(v.End)
	return visitColumns{
		in: instant(&v.In), out: instant(&v.Out), lastTouch: instant(&v.LastTouch),
		reason: &reason, touches: &v.Checkins, party: &v.Party, away: away,
		method: nullable(v.Method), zone: nullable(v.Zone), plan: nullable(v.Plan), team: nullable(v.Team),
	}
}

// unitRow is a new row of member_day, visitRow one of more_visits.
type unitRow struct {
	unitKey
	unit *unit
}

type visitRow struct {
	unitKey
	n     int64
	visit *visit.Visit
}

func (w *writing) insertUnits(ctx context.Context, units []unitRow) error {
	if len(units) == 0 {
		return nil
	}
	out := w.store.rows(unitTable)
	for _, r := range units {
		after := &r.unit.after
		out.row()
		out.int4(r.space)
		out.date(r.day)
		out.int4(r.member)
		out.int4(int32(len(after.Visits)))
		out.int4(int32(after.Checkins))
		out.int4(int32(after.Orphans))
		out.visit(visitAt(*after, 0))
		out.events(r.unit.events)
	}
	return w.keep(ctx, out)
}

func (w *writing) insertVisits(ctx context.Context, visits []visitRow) error {
	if len(visits) == 0 {
		return nil
	}
	slices.SortFunc(visits, func(a, b visitRow) int {
		if c := a.compare(b.unitKey); c != 0 {
			return c
		}
		return int(min(max(a.n-b.n, -1), 1))
	})
	out := w.store.rows(visitTable)
	for _, r := range visits {
		out.row()
		out.int4(r.space)
		out.date(r.day)
		out.int4(r.member)
		out.int8(r.n)
		out.visit(r.visit)
	}
	return w.keep(ctx, out)
}

// arrayText is an array as Postgres writes it: unnest would flatten an array of
// arrays, so each travels as text.
func arrayText(times []time.Time) *string {
	if len(times) == 0 {
		return nil
	}
	texts := make([]string, len(times))
	for i, t := range times {
		texts[i] = t.UTC().Format(time.RFC3339Nano)
	}
	text := "{" + strings.Join(texts, ",") + "}"
	return &text
}
