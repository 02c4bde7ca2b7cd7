package settings

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/stream"

	"github.com/nats-io/nats.go/jetstream"
)

// Space is what was said of one space.
type Space struct {
	Name     string
	Calendar *calendar.Calendar
}

// said is the stored subjects of events about spaces, whatever their partition.
const said = "checkins.v1.*.*." + string(event.SpaceUpserted)

// Read is what the stream holds of the spaces, by name. It asks as any subscriber
// may; no part of the system is needed but the broker.
func Read(ctx context.Context, js jetstream.JetStream) ([]Space, error) {
	consumer, err := js.OrderedConsumer(ctx, stream.Name, jetstream.OrderedConsumerConfig{FilterSubjects: []string{said}})
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, fault.Unavailable.With("no_stream", "", "there is no stream %s; `ingest setup` makes it", stream.Name)
	}
	if err != nil {
		return nil, fault.Unavailable.Errorf("reading the stream: %w", err)
	}
	info, err := consumer.Info(ctx)
	if err != nil {
		return nil, fault.Unavailable.Errorf("reading the stream: %w", err)
	}
	changes := map[string]map[event.Key]calendar.Change{}
	for left := info.NumPending; left > 0; left-- {
		message, err := consumer.Next(jetstream.FetchMaxWait(5 * time.Second))
		if err != nil {
			return nil, fault.Unavailable.Errorf("reading the stream: %w", err)
		}
		take(changes, message)
	}
	spaces := make([]Space, 0, len(changes))
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		all := slices.Collect(maps.Values(changes[name]))
		spaces = append(spaces, Space{Name: name, Calendar: calendar.New(all)})
	}
	return spaces, nil
}

// take notes what a message says. What the system would bury is passed over, and
// of two events with one name the first holds.
func take(changes map[string]map[event.Key]calendar.Change, message jetstream.Msg) {
	subject, err := stream.ParseSubject(message.Subject())
	if err != nil {
		return
	}
	e, err := event.Decode(message.Data(), event.Options{SubjectSpace: subject.Space, SubjectKind: subject.Kind})
	if err != nil {
		return
	}
	change, err := calendar.ParseChange(e.Time, e.Source, e.ID, e.EncodeData(nil))
	if err != nil {
		return
	}
	if changes[e.Space] == nil {
		changes[e.Space] = map[event.Key]calendar.Change{}
	}
	if _, twice := changes[e.Space][e.Key()]; !twice {
		changes[e.Space][e.Key()] = change
	}
}
