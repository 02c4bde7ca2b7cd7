package store

import (
	"bytes"
	"cmp"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/event"
	"coworking/services/ingest/internal/visit"

	"github.com/jackc/pgx/v5"
)

// lateAfter is how long after its time an event may be received before it counts
// as late (semantics.md, "Time").
const lateAfter = 15 * time.Minute

// key is an event's identity, as event.Key and as Postgres' uuid.
type key = [16]byte

// dayKey names a space-day, unitKey the unit of one member on it.
type dayKey struct {
	space int32
	day   calendar.Date
}

type unitKey struct {
	dayKey
	member int32
}

func (d dayKey) compare(o dayKey) int {
	return cmp.Or(cmp.Compare(d.space, o.space), cmp.Compare(d.day, o.day))
}

func (u unitKey) compare(o unitKey) int {
	return cmp.Or(u.dayKey.compare(o.dayKey), cmp.Compare(u.member, o.member))
}

// fact is an event as the store knows it: its words are numbers (0 = not said),
// its times microseconds, and it is filed under a visit day. A row of events.
type fact struct {
	key            key
	dayKey         // space, visit day
	source         int32
	id             string
	kind           event.Kind
	time, received int64 // µs since 1970
	seq            int64
	content        int64
	member         int32 // 0: anonymous
	method, zone   int32
	device         int32
	plan, team     int32
	reason         int32
	party          int32
	token          string
	expires        *time.Time
	data           []byte // JSON of the rare kinds
	voided         bool
}

func (f *fact) unit() unitKey { return unitKey{f.dayKey, f.member} }

func (f *fact) late() bool { return f.received-f.time > lateAfter.Microseconds() }

// isCheckin says whether the event counts among check-ins: a token that opens the
// door is one too.
func (f *fact) isCheckin() bool { return f.kind == event.CheckIn || f.kind == event.TokenUsed }

// isToken says whether the event tells of a token's life.
func (f *fact) isToken() bool { return f.kind == event.TokenIssued || f.kind == event.TokenUsed }

// visitEvent is the event as the fold sees it; false for the kinds that no visit
// is made of.
func (f *fact) visitEvent() (visit.Event, bool) {
	v := visit.Event{
		Key: f.key, Time: f.time, Party: f.party,
		Method: f.method, Zone: f.zone, Plan: f.plan, Team: f.team,
	}
	switch f.kind {
	case event.CheckIn, event.TokenUsed:
		v.Kind = visit.Arrival
	case event.Presence:
		v.Kind = visit.Touch
	case event.CheckOut:
		v.Kind = visit.Departure
	default:
		return visit.Event{}, false
	}
	return v, true
}

// byKey is the order in which events are written.
func byKey(a, b *fact) int { return bytes.Compare(a.key[:], b.key[:]) }

// scanFact reads a row of the select_facts statements.
func (s *Store) scanFact(row pgx.CollectableRow) (*fact, error) {
	var (
		f                                                fact
		kind, day                                        int32
		at, received                                     time.Time
		member, method, zone, device, plan, team, reason *int32
		party                                            *int32
		token                                            *string
	)
	err := row.Scan(&f.key, &f.space, &f.source, &f.id, &kind, &at, &received, &f.seq, &day, &f.content, &member, &method,
		&zone, &device, &plan, &team, &reason, &party, &token, &f.expires, &f.data, &f.voided)
	if err != nil {
		return nil, err
	}
	f.kind = event.Kind(s.names.word(kind))
	f.time, f.received, f.day = at.UnixMicro(), received.UnixMicro(), calendar.Date(day)
	f.member, f.method, f.zone, f.device = value(member), value(method), value(zone), value(device)
	f.plan, f.team, f.reason, f.party = value(plan), value(team), value(reason), value(party)
	f.token = value(token)
	return &f, nil
}

// value is what a nullable column holds, zero for null.
func value[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}

// nullable is the reverse: the zero value is null.
func nullable[T comparable](v T) *T {
	var none T
	if v == none {
		return nil
	}
	return &v
}
