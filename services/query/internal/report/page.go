package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"

	"coworking/pkg/fault"
)

// Cursor is where a page of a list of members ended. It names nobody: only the
// number of a row, and what the row was ordered by.
type Cursor struct {
	Question string  `json:"q"` // the fingerprint of what was asked
	Rank     float64 `json:"r"`
	Number   int32   `json:"n"`
}

// UnmarshalText reads a cursor that an answer gave.
func (c *Cursor) UnmarshalText(text []byte) error {
	type fields Cursor // has no UnmarshalText, which JSON would call
	body, err := base64.RawURLEncoding.DecodeString(string(text))
	if err == nil {
		err = json.Unmarshal(body, (*fields)(c))
	}
	if err != nil || c.Question == "" {
		return fault.Invalid.With("invalid_cursor", "", "this is no cursor that an answer gave as meta.next_cursor")
	}
	return nil
}

// String is the cursor as answers give it.
func (c Cursor) String() string {
	body, err := json.Marshal(c)
	if err != nil {
		panic(err) // its rank is a number
	}
	return base64.RawURLEncoding.EncodeToString(body)
}

// place of a row in its list: rows are in order of their ranks, and of their
// numbers where ranks are alike.
type rowPlace struct {
	rank   float64
	number int32
}

func (p rowPlace) compare(o rowPlace) int {
	return cmp.Or(cmp.Compare(p.rank, o.rank), cmp.Compare(p.number, o.number))
}

// page orders a list, and cuts it to what comes after the cursor, as many rows as
// the limit allows.
func page[Row any](s *scope, rows []Row, of func(*Row) rowPlace) (cut []Row, next *string) {
	l := newListing(s, of)
	l.rows = slices.DeleteFunc(rows, func(r Row) bool { return !l.wants(&r) })
	return l.page()
}

// listing is a list of which only a page is wanted: of rows that it has no place for it
// keeps a few at most, so that it may be made of many more than there is room for.
type listing[Row any] struct {
	scope *scope
	of    func(*Row) rowPlace
	rows  []Row
	last  *rowPlace // what comes after it is on no page
}

func newListing[Row any](s *scope, of func(*Row) rowPlace) listing[Row] {
	return listing[Row]{scope: s, of: of}
}

// wants says whether a row may be on the page, or the one that tells that there is another.
func (l *listing[Row]) wants(r *Row) bool {
	at := l.of(r)
	if c := l.scope.cursor; c != nil && at.compare(rowPlace{c.Rank, c.Number}) <= 0 {
		return false
	}
	return l.last == nil || at.compare(*l.last) <= 0
}

// add adds a row that the list wants.
func (l *listing[Row]) add(r Row) {
	l.rows = append(l.rows, r)
	if len(l.rows) >= 2*l.scope.asked.Limit+1000 {
		l.full()
	}
}

// full says whether there are rows for the page and one after it. It drops the others.
func (l *listing[Row]) full() bool {
	most := l.scope.asked.Limit + 1
	if len(l.rows) < most {
		return false
	}
	partition(l.rows, most-1, l.order)
	clear(l.rows[most:])
	l.rows = l.rows[:most]
	last := l.of(&l.rows[most-1])
	l.last = &last
	return true
}

func (l *listing[Row]) order(a, b Row) int { return l.of(&a).compare(l.of(&b)) }

// page is the rows, and where the next page goes on.
func (l *listing[Row]) page() (cut []Row, next *string) {
	rows, limit := l.rows, l.scope.asked.Limit
	more := len(rows) > limit
	if more {
		partition(rows, limit, l.order)
		rows = rows[:limit]
	}
	slices.SortFunc(rows, l.order)
	if !more {
		return rows, nil
	}
	last := l.of(&rows[len(rows)-1])
	text := Cursor{Question: l.scope.fingerprint(), Rank: last.rank, Number: last.number}.String()
	return rows, &text
}

// fingerprint tells questions apart, but for the page of the answer.
func (s *scope) fingerprint() string { return s.question.fingerprint("cursor", "limit") }

func (q Question) fingerprint(but ...string) string {
	hash := sha256.New()
	encoder := json.NewEncoder(hash)
	_ = encoder.Encode(q.Report.Name)
	for _, name := range slices.Sorted(maps.Keys(q.Query)) {
		if !slices.Contains(but, name) {
			_ = encoder.Encode([]any{name, q.Query[name]})
		}
	}
	return hex.EncodeToString(hash.Sum(nil)[:9])
}
