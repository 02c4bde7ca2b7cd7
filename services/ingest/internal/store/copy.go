package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/pg"
	"coworking/services/ingest/internal/visit"
)

// rows is the body of a COPY in Postgres' binary format (its documentation, "COPY",
// "Binary Format"): what a batch writes most of, encoded without a detour through
// interfaces and reflection.
type rows struct{ body []byte }

const (
	copySignature = "PGCOPY\n\xff\r\n\x00"
	postgresEpoch = 946_684_800_000_000 // µs from 1970 to 2000, where Postgres counts from
	postgresDays  = 10_957              // days likewise
	timestamptzID = 1184                // the type's number, inside of an array
)

// rows begins a body. Its memory is that of one that was sent, where there is one.
func (s *Store) rows() *rows {
	r, ok := s.sent.Get().(*rows)
	if !ok {
		r = &rows{}
	}
	r.body = append(r.body[:0], copySignature...)
	r.body = append(r.body, make([]byte, 8)...) // flags, and no header extension
	return r
}

// row begins a row of n columns.
func (r *rows) row(n int) { r.body = binary.BigEndian.AppendUint16(r.body, uint16(n)) }

func (r *rows) length(n int) { r.body = binary.BigEndian.AppendUint32(r.body, uint32(n)) }

func (r *rows) null() { r.body = binary.BigEndian.AppendUint32(r.body, 0xffffffff) }

func (r *rows) uuid(k key) {
	r.length(len(k))
	r.body = append(r.body, k[:]...)
}

func (r *rows) int2(n int16) {
	r.length(2)
	r.body = binary.BigEndian.AppendUint16(r.body, uint16(n))
}

func (r *rows) int4(n int32) {
	r.length(4)
	r.body = binary.BigEndian.AppendUint32(r.body, uint32(n))
}

// said is a number where 0 is "not said".
func (r *rows) said(n int32) {
	if n == 0 {
		r.null()
		return
	}
	r.int4(n)
}

func (r *rows) int8(n int64) {
	r.length(8)
	r.body = binary.BigEndian.AppendUint64(r.body, uint64(n))
}

// time is a timestamptz, from µs since 1970.
func (r *rows) time(us int64) { r.int8(us - postgresEpoch) }

func (r *rows) date(d calendar.Date) { r.int4(int32(d) - postgresDays) }

func (r *rows) bool(yes bool) {
	r.length(1)
	if yes {
		r.body = append(r.body, 1)
	} else {
		r.body = append(r.body, 0)
	}
}

func (r *rows) text(s string) {
	r.length(len(s))
	r.body = append(r.body, s...)
}

// json is a jsonb, null if there is none.
func (r *rows) json(text []byte) {
	if text == nil {
		r.null()
		return
	}
	r.length(1 + len(text))
	r.body = append(r.body, 1) // the version of the format
	r.body = append(r.body, text...)
}

// events is a unit's packed events, a bytea.
func (r *rows) events(events []visit.Event) {
	at := len(r.body)
	r.length(0)
	r.body = visit.Append(r.body, events)
	binary.BigEndian.PutUint32(r.body[at:], uint32(len(r.body)-at-4))
}

// away is [out, in, …], a timestamptz[], null if there is none.
func (r *rows) away(gaps []visit.Gap) {
	if len(gaps) == 0 {
		r.null()
		return
	}
	const header, element = 20, 12
	r.length(header + 2*len(gaps)*element)
	for _, n := range [...]uint32{1, 0, timestamptzID, uint32(2 * len(gaps)), 1} { // dimensions, nulls, type, size, first index
		r.body = binary.BigEndian.AppendUint32(r.body, n)
	}
	for _, gap := range gaps {
		r.time(gap.From)
		r.time(gap.To)
	}
}

// visit is the eleven columns of a visit from in_at to team, all null for none.
func (r *rows) visit(v *visit.Visit) {
	if v == nil {
		for range 11 {
			r.null()
		}
		return
	}
	r.time(v.In)
	r.time(v.Out)
	r.int2(int16(v.End))
	r.int4(v.Checkins)
	r.int4(v.Party)
	r.away(v.Gaps)
	r.time(v.LastTouch)
	r.said(v.Method)
	r.said(v.Zone)
	r.said(v.Plan)
	r.said(v.Team)
}

// copy sends rows, which are not to be used after.
func (w *writing) copy(ctx context.Context, r *rows, statement string) error {
	r.body = binary.BigEndian.AppendUint16(r.body, 0xffff) // the end
	_, err := w.tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(r.body), statement)
	w.store.sent.Put(r)
	return pg.Classify(err)
}

// optionalTime is a timestamptz that may be missing.
func (r *rows) optionalTime(t *time.Time) {
	if t == nil {
		r.null()
		return
	}
	r.time(t.UnixMicro())
}
