package stream

import (
	"context"
	"errors"
	"time"

	"coworking/pkg/fault"

	"github.com/nats-io/nats.go/jetstream"
)

// Consumer is the durable of a partition, bound.
type Consumer struct {
	jetstream.Consumer

	Created time.Time // of the stream: in another one, sequences begin anew
	stream  jetstream.Stream
}

// Bind looks up the durable of a partition, and makes none. A stream or a durable
// that is not there is fault.Unavailable (`no_stream`): somebody may be about to
// make it. One whose configuration has drifted from c is fault.Internal, and the
// error names each field with what it is and what was wanted. AckWait and
// MaxAckPending may be larger than wanted.
func Bind(ctx context.Context, js jetstream.JetStream, c Config, partition int) (*Consumer, error) {
	if c.Partitions == 0 {
		c.Partitions = 1
	}
	if partition < 0 || partition >= c.Partitions {
		return nil, fault.Internal.Errorf("partition %d: there are %d, counted from 0", partition, c.Partitions)
	}
	there, err := js.Stream(ctx, Name)
	if err != nil {
		return nil, bindError(js, "stream "+Name, err)
	}
	found := there.CachedInfo()
	if drift := differences(c.stream(found.Config), found.Config); len(drift) > 0 {
		return nil, drifted("stream "+Name, drift)
	}
	consumer, err := there.Consumer(ctx, Durable(partition))
	if err != nil {
		return nil, bindError(js, "durable "+Durable(partition), err)
	}
	config := consumer.CachedInfo().Config
	c.AckWait, c.MaxAckPending = max(c.AckWait, config.AckWait), max(c.MaxAckPending, config.MaxAckPending) // more is no harm
	if drift := differences(c.durable(partition, config), config); len(drift) > 0 {
		return nil, drifted("durable "+Durable(partition), drift)
	}
	return &Consumer{Consumer: consumer, Created: found.Created, stream: there}, nil
}

// PinHeader is in every message: the name by which the broker knows the worker that it
// hands messages to. It is no part of the event.
const PinHeader = "Nats-Pin-Id"

// Fetch asks for messages, as one of the durable's writers.
func (c *Consumer) Fetch(batch int, opts ...jetstream.FetchOpt) (jetstream.MessageBatch, error) {
	return c.Consumer.Fetch(batch, append(opts, jetstream.FetchPriorityGroup(writers))...)
}

// Release lets another writer have the messages at once, if it is still this one that
// gets them. An error does no harm: the broker finds out by itself, a little later.
func (c *Consumer) Release(ctx context.Context, pin string) error {
	info, err := c.Info(ctx)
	if err != nil {
		return fault.Unavailable.Errorf("asking who is pinned: %w", err)
	}
	for _, group := range info.PriorityGroups {
		if pin != "" && group.PinnedClientID == pin {
			if err := c.stream.UnpinConsumer(ctx, info.Name, group.Group); err != nil {
				return fault.Unavailable.Errorf("unpinning: %w", err)
			}
		}
	}
	return nil
}

// Received is when the stream stored the message of a sequence; fault.NotFound if
// that message is not there (any more).
func (c *Consumer) Received(ctx context.Context, sequence uint64) (time.Time, error) {
	if sequence == 0 {
		return time.Time{}, fault.NotFound.Errorf("message 0: sequences begin at 1")
	}
	message, err := c.stream.GetMsg(ctx, sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return time.Time{}, fault.NotFound.Errorf("message %d: %w", sequence, err)
	}
	if err != nil {
		return time.Time{}, fault.Unavailable.Errorf("message %d: %w", sequence, err)
	}
	return message.Time, nil
}

func drifted(what string, drift []difference) error {
	return fault.Internal.Errorf("%s has drifted: %s; `ingest setup` puts it right", what, sentence(drift))
}

func bindError(js jetstream.JetStream, what string, err error) error {
	if errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fault.Unavailable.With("no_stream", "", "%s: %w; `ingest setup` makes it", what, err)
	}
	return fault.Unavailable.Errorf("%s: %w", what, silence(js.Conn(), err))
}
