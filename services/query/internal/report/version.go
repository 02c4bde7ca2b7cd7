package report

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"

	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// Basis is what the version of an answer rests on: as long as that stands, so does
// the version. The zero Basis never stands.
type Basis struct {
	scope    *scope
	versions map[int32]int64 // of the spaces, by number
	newest   int32           // of all spaces: one that comes may be part of the answer
	minute   int64           // that the question was asked in
}

// Likely is what a question is about unless more has changed than was seen. The zero
// Likely says nothing.
type Likely struct {
	scope *scope
	moved map[int32]int64 // the versions that spaces moved to, by number
}

// Stands says whether the same question, asked again, has an answer of the same
// version. It costs less than to ask for the version: one statement, of few rows. A
// version that may have changed and did not is said to have fallen; what was seen
// makes the look quicker that follows. A fault is Unavailable.
func (r *Reader) Stands(ctx context.Context, b Basis, asOf time.Time) (bool, Likely, error) {
	if b.scope == nil || b.minute != minuteOf(asOf.UnixMicro()) {
		return false, Likely{}, nil
	}
	rows, err := r.pool.Query(ctx, basisSQL)
	if err != nil {
		return false, Likely{}, pg.Classify(err)
	}
	var (
		id, newest int32
		version    int64
		same       int
		moved      = map[int32]int64{}
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &version}, func() error {
		newest = max(newest, id)
		switch before, rests := b.versions[id]; {
		case !rests:
		case before == version:
			same++
		default:
			moved[id] = version
		}
		return nil
	})
	if err != nil {
		return false, Likely{}, pg.Classify(err)
	}
	if newest != b.newest {
		return false, Likely{}, nil
	}
	return same == len(b.versions), Likely{b.scope.after(moved), moved}, nil
}

func (s *scope) basis() Basis {
	if s.refiling {
		return Basis{}
	}
	kept := *s
	kept.db = nil // the scope outlives it
	found := Basis{scope: &kept, versions: map[int32]int64{}, newest: s.newest, minute: minuteOf(s.asOf)}
	if s.nowhere != 0 { // else nothing was ever said of a member
		found.versions[s.nowhere] = s.memberVersion
	}
	for _, p := range s.involved() {
		found.versions[p.id] = p.version
	}
	return found
}

// after is the scope as it likely is once some of its spaces, by number, have come to
// later versions.
func (s *scope) after(moved map[int32]int64) *scope {
	later := *s
	if version, has := moved[s.nowhere]; has {
		later.memberVersion = version
	}
	later.places, later.visible = placesAfter(s.places, moved), placesAfter(s.visible, moved)
	return &later
}

func placesAfter(places []*place, moved map[int32]int64) []*place {
	later := slices.Clone(places)
	for i, p := range later {
		if version, has := moved[p.id]; has {
			then := *p
			then.version = version
			later[i] = &then
		}
	}
	return later
}

// minuteOf numbers minutes: what is about the present, and what a period like
// `today` means, moves at most with each of them.
func minuteOf(at int64) int64 { return at / time.Minute.Microseconds() }

// version tells states of an answer apart: it moves with the question, with
// anything that is written of the spaces or of members, and with each minute of a
// range that touches the present.
func (s *scope) version() string {
	text := make([]byte, 0, 1000)
	text = fmt.Appendf(text, "%d %s %q %d %d %d %d %t %d", schema, s.question.fingerprint(), s.question.Visible,
		s.from, s.to, s.clip.start, s.clip.end, s.refiling, s.memberVersion)
	if s.asOf < s.ending() {
		text = strconv.AppendInt(append(text, ' '), minuteOf(s.asOf), 10)
	}
	for _, p := range s.involved() {
		text = strconv.AppendQuote(append(text, ' '), p.name)
		text = strconv.AppendInt(append(text, ' '), p.version, 10)
	}
	hash := sha256.Sum256(text)
	return hex.EncodeToString(hash[:12])
}
