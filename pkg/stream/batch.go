package stream

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strconv"

	"coworking/pkg/fault"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The headers of an atomic batch, as NATS's ADR-50 has them; this version of the
// client has no words of its own for it.
const (
	batchID       = "Nats-Batch-Id"
	batchSequence = "Nats-Batch-Sequence"
	batchCommit   = "Nats-Batch-Commit"
)

// batch stores messages all or none, and waits for the one acknowledgement of the
// last. Those before it are not answered: whatever is wrong with one of them, the
// last is refused. fault.Internal says that nothing was stored, for the broker
// refused it as a batch.
func (p *Publisher) batch(ctx context.Context, messages []Message, chosen []int) error {
	select {
	case p.inflight <- struct{}{}:
		defer func() { <-p.inflight }()
	case <-ctx.Done():
		return p.fault(ctx.Err())
	}
	ctx, cancel := context.WithTimeout(ctx, p.patience.Acknowledgement)
	defer cancel()

	id := rand.Text()
	last, parent := len(chosen)-1, parentOf(ctx)
	for n, i := range chosen[:last] {
		if err := p.conn.PublishMsg(batched(messages[i], id, n+1, parent)); err != nil {
			return p.fault(err)
		}
	}
	commit := batched(messages[chosen[last]], id, last+1, parent)
	commit.Header.Set(batchCommit, "1")
	answer, err := p.conn.RequestMsgWithContext(ctx, commit)
	if err != nil {
		return p.fault(err)
	}
	return p.acknowledged(answer.Data, len(chosen))
}

func batched(message Message, id string, sequence int, parent []string) *nats.Msg {
	return &nats.Msg{Subject: message.Subject, Data: message.Body, Header: say(nats.Header{
		batchID: {id}, batchSequence: {strconv.Itoa(sequence)},
	}, parent)}
}

// acknowledged reads the stream's answer to a batch, which says how many messages
// there were in it.
func (p *Publisher) acknowledged(answer []byte, count int) error {
	var ack struct {
		Error  *jetstream.APIError `json:"error"`
		Stream string              `json:"stream"`
		Count  int                 `json:"count"`
	}
	if err := json.Unmarshal(answer, &ack); err != nil {
		return fault.Unavailable.With("publish_unavailable", "", "publishing: an answer that is none: %w", err)
	}
	if ack.Error != nil {
		return p.fault(ack.Error)
	}
	if ack.Stream != Name || ack.Count != count {
		return fault.Unavailable.With("publish_unavailable", "", "publishing: stream %q has %d messages of a batch of %d", ack.Stream, ack.Count, count)
	}
	return nil
}
