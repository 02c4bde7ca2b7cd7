package store

import (
	"context"
	"encoding/json"
	"time"

	"coworking/pkg/fault"

	"github.com/jackc/pgx/v5"
)

// letter is a dead letter to be: a message and why it was refused.
type letter struct {
	in  *Incoming
	err error
}

// bury keeps every refused message with its bytes and its reason, in the same
// transaction as the rest of the batch. A redelivery finds its row there already.
func (w *writing) bury(context.Context) error {
	for _, in := range w.group.items {
		if in.Fault != nil {
			w.letters = append(w.letters, letter{in, in.Fault})
		}
	}
	if len(w.letters) == 0 {
		return nil
	}
	type columns struct {
		Streams  []time.Time `db:"streams"`
		Seqs     []int64     `db:"seqs"`
		Subjects []string    `db:"subjects"`
		Headers  []*string   `db:"headers"`
		Bodies   [][]byte    `db:"bodies"`
		Received []time.Time `db:"received"`
		Codes    []string    `db:"codes"`
		Pointers []*string   `db:"pointers"`
		Details  []string    `db:"details"`
	}
	var c columns
	for _, l := range w.letters {
		c.Streams, c.Seqs = append(c.Streams, l.in.Stream), append(c.Seqs, int64(l.in.Sequence))
		c.Subjects, c.Headers = append(c.Subjects, printable(l.in.Subject)), append(c.Headers, headerText(l.in.Header))
		c.Bodies, c.Received = append(c.Bodies, notNil(l.in.Body)), append(c.Received, l.in.Received)
		c.Codes = append(c.Codes, fault.Code(l.err))
		c.Pointers = append(c.Pointers, nullable(printable(fault.Pointer(l.err))))
		c.Details = append(c.Details, printable(l.err.Error()))
	}
	w.result.Buried = len(w.letters)
	w.queue(bury, pgx.StrictStructArgs(c))
	return nil
}

// headerText is the message's headers as JSON, nil if there are none.
func headerText(header map[string][]string) *string {
	if len(header) == 0 {
		return nil
	}
	clean := make(map[string][]string, len(header))
	for name, values := range header {
		for _, v := range values {
			clean[printable(name)] = append(clean[printable(name)], printable(v))
		}
	}
	text, err := json.Marshal(clean)
	if err != nil { // strings always marshal
		return nil
	}
	return nullable(string(text))
}

// printable is the text with what Postgres cannot keep in a text column replaced:
// a dead letter's words often quote the very bytes that killed it. The body keeps
// the bytes as they came.
func printable(s string) string {
	clean := make([]rune, 0, len(s))
	for _, r := range s { // ranging turns invalid UTF-8 into U+FFFD
		if r == 0 {
			r = '\uFFFD'
		}
		clean = append(clean, r)
	}
	return string(clean)
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
