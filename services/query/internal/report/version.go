package report

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
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
func (s *scope) version() string {
	hash := sha256.New()
	encoder := json.NewEncoder(hash)
	_ = encoder.Encode([]any{
		schema, s.question.fingerprint(), s.question.Visible, s.from, s.to, s.clip.start, s.clip.end, s.refiling, s.memberVersion,
	})
	if s.asOf < s.ending() {
		_ = encoder.Encode(s.asOf / time.Minute.Microseconds())
	}
	places := s.places
	if s.question.Report.Anywhere {
		places = s.visible
	}
	for _, p := range places {
		_ = encoder.Encode([]any{p.name, p.version})
	}
	return hex.EncodeToString(hash.Sum(nil)[:12])
}
