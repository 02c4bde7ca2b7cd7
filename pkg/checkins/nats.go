package checkins

import (
	"context"
	"slices"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/stream"
)

// NATS delivers straight into the stream. The connection stays the caller's:
//
//	conn, js, err := stream.Credentials{NKey: "publisher-soho.nk"}.Connect(address, "door-1", log)
//	…
//	transport := checkins.NATS(stream.NewPublisher(js, stream.Patience{}), "soho")
//
// spaces is what the broker lets this user write; none is all. Name them: the broker
// does not say no to an event of another space, it only never acknowledges it, and all
// that comes after would wait for ever. With spaces such an event is refused with
// `space_forbidden`.
//
// Several events go as one atomic batch. A stream that refuses batches gets them one by
// one, side by side, and then those of one batch may come in another order.
func NATS(publisher *stream.Publisher, spaces ...string) Transport {
	return &broker{publisher: publisher, spaces: spaces}
}

type broker struct {
	publisher *stream.Publisher
	spaces    []string
}

// Send is the Transport's.
func (b *broker) Send(ctx context.Context, events [][]byte) ([]error, time.Duration) {
	results := make([]error, len(events))
	var messages []stream.Message
	var of []int
	for i, body := range events {
		e, err := event.Decode(body, event.Options{})
		if err == nil && len(b.spaces) > 0 && !slices.Contains(b.spaces, e.Space) {
			err = fault.Invalid.With("space_forbidden", "/data/space", "this publisher may not write events of this space")
		}
		if err != nil {
			results[i] = err
			continue
		}
		messages, of = append(messages, stream.Message{Subject: e.Subject(), Body: body}), append(of, i)
	}
	for n, err := range b.publisher.PublishBatch(ctx, messages, nil) {
		results[of[n]] = err
	}
	return results, 0
}
