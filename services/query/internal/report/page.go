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
	if c := s.cursor; c != nil {
		after := rowPlace{c.Rank, c.Number}
		rows = slices.DeleteFunc(rows, func(r Row) bool { return of(&r).compare(after) <= 0 })
	}
	order := func(a, b Row) int { return of(&a).compare(of(&b)) }
	more := len(rows) > s.asked.Limit
	if more {
		partition(rows, s.asked.Limit, order)
		rows = rows[:s.asked.Limit]
	}
	slices.SortFunc(rows, order)
	if !more {
		return rows, nil
	}
	last := of(&rows[len(rows)-1])
	text := Cursor{Question: s.fingerprint(), Rank: last.rank, Number: last.number}.String()
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
