package stream

import (
	"context"
	"errors"
	"time"

	"coworking/pkg/fault"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Stored is a message as the stream keeps it.
type Stored struct {
	Subject  string
	Header   nats.Header
	Body     []byte
	Sequence uint64
	Received time.Time // when the stream stored it
}

// Settled is the sequence up to which every message of the partition was answered
// for: all that the stream holds where nothing waits and nothing is unanswered, else
// the durable's ack floor. last is the stream's last sequence, asked for before.
func (c *Consumer) Settled(ctx context.Context) (settled, last uint64, err error) {
	there, err := c.stream.Info(ctx)
	if err != nil {
		return 0, 0, fault.Unavailable.Errorf("asking the stream: %w", err)
	}
	last = there.State.LastSeq
	info, err := c.Info(ctx)
	if err != nil {
		return 0, last, fault.Unavailable.Errorf("asking the durable: %w", err)
	}
	if info.NumPending == 0 && info.NumAckPending == 0 {
		return last, last, nil
	}
	return info.AckFloor.Stream, last, nil
}

// Each calls fn with every message of the partition up to a sequence, in order, and
// without disturbing the durable.
func (c *Consumer) Each(ctx context.Context, through uint64, fn func(Stored) error) error {
	ordered, err := c.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{c.CachedInfo().Config.FilterSubject}, InactiveThreshold: time.Minute,
	})
	if err != nil {
		return fault.Unavailable.Errorf("reading the stream: %w", err)
	}
	if first := ordered.CachedInfo(); first != nil && first.NumPending == 0 {
		return nil
	}
	messages, err := ordered.Messages(jetstream.PullMaxMessages(5000), jetstream.PullHeartbeat(time.Second))
	if err != nil {
		return fault.Unavailable.Errorf("reading the stream: %w", err)
	}
	defer messages.Stop()
	for {
		message, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fault.Unavailable.Errorf("reading the stream: %w", err)
		}
		m, err := message.Metadata()
		if err != nil {
			return fault.Internal.Errorf("reading the stream: %w", err)
		}
		if m.Sequence.Stream > through {
			return nil
		}
		if err := fn(Stored{
			Subject: message.Subject(), Header: message.Headers(), Body: message.Data(),
			Sequence: m.Sequence.Stream, Received: m.Timestamp,
		}); err != nil {
			return err
		}
		if m.NumPending == 0 || m.Sequence.Stream == through {
			return nil
		}
	}
}

// Erase overwrites a message and takes it out of the stream. One that is not there
// any more is erased already.
func (c *Consumer) Erase(ctx context.Context, sequence uint64) error {
	err := c.stream.SecureDeleteMsg(ctx, sequence)
	if err == nil {
		return nil
	}
	// The broker has three answers for a message that is gone, and one of them
	// also says that it could not delete: only a look tells.
	if _, gone := c.stream.GetMsg(ctx, sequence); errors.Is(gone, jetstream.ErrMsgNotFound) {
		return nil
	}
	return fault.Unavailable.Errorf("erasing message %d of the stream: %w", sequence, err)
}
