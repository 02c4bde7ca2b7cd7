package report

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// Version is the version that the answer to a question would have, for a client
// that has one already. It costs little: nothing is counted. Faults are those of
// Answer, but for what only counting finds.
func (r *Reader) Version(ctx context.Context, q Question) (string, error) {
	return q.Report.look(ctx, r, q)
}

// version tells states of an answer apart: it moves with the question, with
// anything that is written of the spaces or of members, and with each minute of a
// range that touches the present.
func (s *scope) version(ctx context.Context) (string, error) {
	hash := sha256.New()
	encoder := json.NewEncoder(hash)
	_ = encoder.Encode([]any{schema, s.question.fingerprint(), s.question.Visible, s.from, s.to, s.clip.start, s.clip.end})
	if s.asOf < s.ending() {
		_ = encoder.Encode(s.asOf / time.Minute.Microseconds())
	}
	visible := s.question.Visible
	if !s.question.Report.Anywhere {
		visible = s.names()
	}
	rows, err := s.db.Query(ctx, versionsSQL, pgx.StrictNamedArgs{"visible": visible})
	if err != nil {
		return "", pg.Classify(err)
	}
	var space string
	var version int64
	_, err = pgx.ForEachRow(rows, []any{&space, &version}, func() error {
		_, err := fmt.Fprintln(hash, space, version)
		return err
	})
	return hex.EncodeToString(hash.Sum(nil)[:12]), pg.Classify(err)
}
