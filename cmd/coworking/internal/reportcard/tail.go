package reportcard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/stream"

	"github.com/nats-io/nats.go/jetstream"
)

// mostLive is how many events are kept of those that come while somebody watches.
const mostLive = 100_000

// Tail reads what the stream has of a space. It asks as any subscriber may: by consumers
// of its own, which the broker soon forgets.
type Tail struct {
	stream        jetstream.Stream
	space, source string
	through       uint64 // the last sequence when Stored read
}

// NewTail is for a space, and one of its sources if source is not "".
func NewTail(ctx context.Context, js jetstream.JetStream, space, source string) (*Tail, error) {
	there, err := js.Stream(ctx, stream.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, fault.Unavailable.With("no_stream", "", "there is no stream %s; `ingest setup` makes it", stream.Name)
	}
	if err != nil {
		return nil, fault.Unavailable.Errorf("reading the stream: %w", err)
	}
	return &Tail{stream: there, space: space, source: source, through: there.CachedInfo().State.LastSeq}, nil
}

// Stored is the last events, the oldest first. How far back they lie nobody knows, so
// it looks further and further back.
func (t *Tail) Stored(ctx context.Context, last int) ([]Record, error) {
	first := max(1, t.stream.CachedInfo().State.FirstSeq)
	if t.through < first {
		return nil, nil
	}
	for window := max(1000, uint64(last)); ; window *= 8 {
		from := first
		if window < t.through-first {
			from = t.through - window
		}
		records, err := t.read(ctx, from, last)
		if err != nil || len(records) == last || from == first {
			return records, err
		}
	}
}

// read is the last events of those from a sequence on that were there when the tail began.
func (t *Tail) read(ctx context.Context, from uint64, last int) ([]Record, error) {
	messages, pending, err := t.messages(ctx, from)
	if err != nil || pending == 0 {
		return nil, err
	}
	defer messages.Stop()
	var records []Record
	for {
		message, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return nil, fault.Unavailable.Errorf("reading the stream: %w", err)
		}
		record, at, err := t.record(message)
		if err != nil {
			return nil, err
		}
		if at.Sequence.Stream <= t.through {
			records = t.keep(records, record, last)
		}
		if at.Sequence.Stream >= t.through || at.NumPending == 0 {
			return records[max(0, len(records)-last):], nil
		}
	}
}

// messages begins to read at a sequence; pending is how many there are already. Where
// there are none there is nothing to stop either.
func (t *Tail) messages(ctx context.Context, from uint64) (messages jetstream.MessagesContext, pending uint64, err error) {
	consumer, err := t.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{event.SubjectPrefix + "*." + t.space + ".>"},
		DeliverPolicy:  jetstream.DeliverByStartSequencePolicy, OptStartSeq: from, InactiveThreshold: time.Minute,
	})
	if err != nil {
		return nil, 0, fault.Unavailable.Errorf("reading the stream: %w", err)
	}
	info, err := consumer.Info(ctx)
	if err != nil {
		return nil, 0, fault.Unavailable.Errorf("reading the stream: %w", err)
	}
	if info.NumPending == 0 && from <= t.through {
		return nil, 0, nil
	}
	messages, err = consumer.Messages(jetstream.PullMaxMessages(5000), jetstream.PullHeartbeat(time.Second))
	if err != nil {
		return nil, 0, fault.Unavailable.Errorf("reading the stream: %w", err)
	}
	return messages, info.NumPending, nil
}

// record is what a message says, as the worker reads it.
func (t *Tail) record(message jetstream.Msg) (Record, *jetstream.MsgMetadata, error) {
	at, err := message.Metadata()
	if err != nil {
		return Record{}, nil, fault.Internal.Errorf("reading the stream: %w", err)
	}
	r := Record{Place: fmt.Sprintf("message %d", at.Sequence.Stream)}
	subject, wrong := stream.ParseSubject(message.Subject())
	if wrong == nil {
		r = read(message.Data(), event.Options{SubjectSpace: subject.Space, SubjectKind: subject.Kind}, at.Timestamp, r.Place)
	}
	r.Refused = cmp.Or(wrong, r.Refused)
	r.Received = at.Timestamp
	return r, at, nil
}

// keep adds a record, if it is of the source or of nobody can say whom, and lets go of
// the oldest where there are too many.
func (t *Tail) keep(records []Record, r Record, most int) []Record {
	if t.source != "" && r.Source != t.source && r.Source != "" {
		return records
	}
	if records = append(records, r); len(records) >= 2*most {
		records = slices.Clone(records[len(records)-most:])
	}
	return records
}

// Live is the events that come after those that Stored gave, until the context ends. tell
// is told how many these are, now and then.
func (t *Tail) Live(ctx context.Context, tell func(events int)) ([]Record, error) {
	messages, _, err := t.messages(ctx, t.through+1)
	if ctx.Err() != nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer messages.Stop()
	var records []Record
	for {
		message, err := messages.Next(jetstream.NextContext(ctx))
		if ctx.Err() != nil {
			return records, nil
		}
		if err != nil {
			return nil, fault.Unavailable.Errorf("watching the stream: %w", err)
		}
		record, _, err := t.record(message)
		if err != nil {
			return nil, err
		}
		records = t.keep(records, record, mostLive)
		tell(len(records))
	}
}
