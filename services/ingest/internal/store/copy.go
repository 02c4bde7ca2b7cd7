package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"
	"time"
	"unicode"

	"coworking/pkg/calendar"
	"coworking/pkg/pg"
	"coworking/services/ingest/internal/visit"
)

// table is where rows go that are new: many by COPY, a few by an insert, which need not
// wait for an answer before the next statement.
type table struct {
	copy, insert string
	columns      []string // as both name them
}

func newTable(copying, insert string) table {
	_, list, _ := strings.Cut(copying, "(")
	list, _, _ = strings.Cut(list, ")")
	return table{copying, insert, strings.FieldsFunc(list, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })}
}

var (
	eventTable = newTable(copyEvents, insertEvents)
	unitTable  = newTable(copyUnits, insertUnits)
	visitTable = newTable(copyVisits, insertVisits)
)

// few is how many new rows are inserted, not copied: about as many as take equally long
// both ways beside Postgres. More are quicker by COPY, although others then wait for it.
const few = 250

// rows is rows as a COPY takes them in Postgres' binary format (its documentation,
// "COPY", "Binary Format"): what a batch writes most of, encoded without a detour
// through interfaces and reflection.
type rows struct {
	table table
	body  []byte
	n     int
	lists bool // a row holds an array
}

const (
	copySignature = "PGCOPY\n\xff\r\n\x00"
	copyHeader    = len(copySignature) + 8
	postgresDays  = 10_957 // from 1970 to 2000, where Postgres counts from
	timestamptzID = 1184   // the type's number, inside of an array
)

// rows begins rows of a table. Their memory is that of others that were sent, where
// there are such.
func (s *Store) rows(t table) *rows {
	r, ok := s.sent.Get().(*rows)
	if !ok {
		r = &rows{}
	}
	r.table, r.n, r.lists = t, 0, false
	r.body = append(r.body[:0], copySignature...)
	r.body = append(r.body, make([]byte, copyHeader-len(copySignature))...) // flags, and no header extension
	return r
}

// row begins a row; its columns follow, in the table's order.
func (r *rows) row() {
	r.n++
	r.body = binary.BigEndian.AppendUint16(r.body, uint16(len(r.table.columns)))
}

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
func (r *rows) time(us int64) { r.int8(us - pg.Epoch) }

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
	r.lists = true
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

// optionalTime is a timestamptz that may be missing.
func (r *rows) optionalTime(t *time.Time) {
	if t == nil {
		r.null()
		return
	}
	r.time(t.UnixMicro())
}

// keep stores rows, which are not to be used after: a few in their turn with what is
// queued, many at once, after it.
func (w *writing) keep(ctx context.Context, r *rows) error {
	if r.n <= few && !r.lists {
		w.queue(r.table.insert, r.args())
		w.store.sent.Put(r)
		return nil
	}
	if err := w.flush(ctx); err != nil {
		return err
	}
	r.body = binary.BigEndian.AppendUint16(r.body, 0xffff) // the end
	_, err := w.tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(r.body), r.table.copy)
	w.store.sent.Put(r)
	return pg.Classify(err)
}
