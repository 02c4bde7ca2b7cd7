package consume

import (
	"context"
	"errors"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/stream"
	"coworking/services/ingest/internal/store"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// How long one request for messages lives, and how often the broker must say in
// between that it is still there: without that, a dead broker looks like a quiet
// stream. A stop waits for the running request, so that nothing is stranded.
const (
	fetchWait      = stream.PinnedFor / 3
	fetchHeartbeat = fetchWait / 2
	rebindPause    = time.Second
)

// receive asks for messages and decodes them, until asked to stop. When the
// durable is gone it looks for it again, and never makes another, which would
// begin at the wrong place.
func (w *Worker) receive(ctx context.Context) error {
	for ctx.Err() == nil {
		err := w.bindAndFetch(ctx)
		switch {
		case ctx.Err() != nil:
			continue // asked to stop: whatever else is wrong, it is over
		case fault.Of(err) == fault.Internal:
			return err
		}
		w.Observe.Connected(err)
		w.Log.Warn("no messages from the stream; looking for its durable again", zap.Error(err))
		wait(ctx, rebindPause)
	}
	return nil
}

func (w *Worker) bindAndFetch(ctx context.Context) error {
	source, err := w.Bind(ctx)
	if err != nil {
		return err
	}
	w.source.Store(&source)
	w.Observe.Connected(nil)
	return w.fetch(ctx, source)
}

// fetch asks for message after message until something is wrong with the stream.
func (w *Worker) fetch(ctx context.Context, source Source) error {
	for ctx.Err() == nil {
		room := w.inbox.room()
		if room == 0 {
			select {
			case <-w.inbox.emptied:
			case <-ctx.Done():
			}
			continue
		}
		batch, err := source.Consumer.Fetch(room, jetstream.FetchMaxWait(fetchWait), jetstream.FetchHeartbeat(fetchHeartbeat))
		if err != nil {
			return unavailable(err)
		}
		for message := range batch.Messages() {
			w.pin = message.Headers().Get(stream.PinHeader)
			w.inbox.put(receive(message, source.Created))
		}
		if err := batch.Error(); err != nil && !errors.Is(err, jetstream.ErrPinIDMismatch) { // another worker's turn
			return unavailable(err)
		}
	}
	return nil
}

// receive is the message as the store takes it.
func receive(message jetstream.Msg, created time.Time) (held, store.Incoming) {
	in := store.Incoming{Subject: message.Subject(), Header: message.Headers(), Body: message.Data(), Stream: created}
	delete(in.Header, stream.PinHeader)
	redelivered := false
	metadata, err := message.Metadata()
	if err == nil {
		in.Sequence, in.Received = metadata.Sequence.Stream, metadata.Timestamp
		redelivered = metadata.NumDelivered > 1
	}
	return held{message: message, redelivered: redelivered, mentioned: time.Now()}, Decode(in)
}

// Decode reads the message's event, or says why it is none.
func Decode(in store.Incoming) store.Incoming {
	in.Event, in.Fault = decode(in)
	return in
}

func decode(in store.Incoming) (event.Event, error) {
	subject, err := stream.ParseSubject(in.Subject)
	if err != nil {
		return event.Event{}, err
	}
	e, err := event.Decode(in.Body, event.Options{SubjectSpace: subject.Space, SubjectKind: subject.Kind})
	if err != nil {
		return e, err
	}
	return e, e.CheckFuture(in.Received)
}

// unavailable is what every trouble with the stream is: it passes, or somebody
// mends it. Only drift, which Bind finds, is a fault of the deploy.
func unavailable(err error) error {
	if errors.Is(err, jetstream.ErrConsumerDeleted) || errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fault.Unavailable.Errorf("the durable was deleted; `ingest setup` makes it again: %w", err)
	}
	return fault.Unavailable.Errorf("fetching from the stream: %w", err)
}

// wait sleeps, or returns as soon as the context ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
