package store

import (
	"cmp"
	"time"

	"coworking/pkg/event"

	"github.com/jackc/pgx/v5"
)

// stored is what is kept of a key that comes again.
type stored struct {
	content  int64
	received int64 // µs since 1970
	seq      int64
	voided   bool
}

// comesAgain sees to it that an event that was published twice counts as received
// when its first copy was, whichever copy a worker came to first: whether it is
// late must not depend on that. It says whether that changed. A sealed day stays as
// it is.
func (w *writing) comesAgain(p *prepared, first stored) bool {
	day := w.days[p.dayKey]
	if cmp.Or(cmp.Compare(p.received, first.received), cmp.Compare(p.seq, first.seq)) >= 0 || day.sealed {
		return false
	}
	w.earlier = append(w.earlier, p)
	before := fact{time: p.time, received: first.received}
	if before.late() && !p.late() && !first.voided && p.kind != event.EventVoided && !day.queued {
		day.late--
		day.changed = true
	}
	return true
}

// writeEarlier keeps the first copy's place in the stream.
func (w *writing) writeEarlier() {
	if len(w.earlier) == 0 {
		return
	}
	var (
		keys     []key
		received []time.Time
		seqs     []int64
	)
	for _, p := range w.earlier {
		keys, received, seqs = append(keys, p.key), append(received, time.UnixMicro(p.received)), append(seqs, p.seq)
	}
	w.queue(receiveEarlier, pgx.StrictNamedArgs{"keys": keys, "received": received, "seqs": seqs})
}
