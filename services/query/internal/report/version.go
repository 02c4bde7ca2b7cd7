package report

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// Basis is what the version of an answer rests on: as long as that stands, so does
// the version. The zero Basis never stands.
type Basis struct {
	spaces []int32 // in order
	sum    int64   // of their versions, none of which ever goes back
	newest int32   // of all spaces: one that comes may be part of the answer
	minute int64   // that the question was asked in
}

// Stands says whether the same question, asked again, has an answer of the same
// version. It costs less than to ask for the version: one statement, of few rows. A
// version that may have changed and did not is said to have fallen. A fault is
// Unavailable.
func (r *Reader) Stands(ctx context.Context, s Basis, asOf time.Time) (bool, error) {
	if s.spaces == nil || s.minute != minuteOf(asOf.UnixMicro()) {
		return false, nil
	}
	rows, err := r.pool.Query(ctx, basisSQL)
	if err != nil {
		return false, pg.Classify(err)
	}
	var (
		id, newest   int32
		version, sum int64
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &version}, func() error {
		newest = max(newest, id)
		if _, rests := slices.BinarySearch(s.spaces, id); rests {
			sum += version
		}
		return nil
	})
	return sum == s.sum && newest == s.newest, pg.Classify(err)
}

func (s *scope) basis() Basis {
	if s.refiling {
		return Basis{}
	}
	found := Basis{spaces: []int32{s.nowhere}, sum: s.memberVersion, newest: s.newest, minute: minuteOf(s.asOf)}
	for _, p := range s.involved() {
		found.spaces = append(found.spaces, p.id)
		found.sum += p.version
	}
	slices.Sort(found.spaces)
	return found
}

// minuteOf numbers minutes: what is about the present, and what a period like
// `today` means, moves at most with each of them.
func minuteOf(at int64) int64 { return at / time.Minute.Microseconds() }

// version tells states of an answer apart: it moves with the question, with
// anything that is written of the spaces or of members, and with each minute of a
// range that touches the present.
func (s *scope) version() string {
	hash := sha256.New()
	encoder := json.NewEncoder(hash)
	_ = encoder.Encode([]any{
		schema, s.question.fingerprint(), s.question.Visible, s.from, s.to, s.clip.start, s.clip.end, s.refiling, s.memberVersion,
	})
	if s.asOf < s.ending() {
		_ = encoder.Encode(minuteOf(s.asOf))
	}
	for _, p := range s.involved() {
		_ = encoder.Encode([]any{p.name, p.version})
	}
	return hex.EncodeToString(hash.Sum(nil)[:12])
}
