package checkins_test

import (
	"errors"
	"testing"

	"coworking/pkg/checkins"
	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/stream"
	"coworking/pkg/streamtest"

	"github.com/nats-io/nats.go/jetstream"
)

// stored is the ids of all events in the stream, in its order.
func stored(t *testing.T, s *streamtest.Stream) []string {
	t.Helper()
	there, err := s.JS.Stream(t.Context(), stream.Name)
	if err != nil {
		t.Fatal(err)
	}
	info, err := there.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	reader, err := there.OrderedConsumer(t.Context(), jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for len(ids) < int(info.State.Msgs) {
		batch, err := reader.Fetch(int(info.State.Msgs) - len(ids))
		if err != nil {
			t.Fatal(err)
		}
		for message := range batch.Messages() {
			e, err := event.Decode(message.Data(), event.Options{Strict: true})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, e.ID)
		}
		if err := batch.Error(); err != nil && !errors.Is(err, jetstream.ErrNoMessages) {
			t.Fatal(err)
		}
	}
	return ids
}

func TestABrokerThatIsAwayGetsEverythingOnceAndInOrder(t *testing.T) {
	s := streamtest.New(t)
	client := open(t, t.TempDir(), checkins.NATS(stream.NewPublisher(s.JS, stream.Patience{})))
	publish(t, client, 0, 200)
	flush(t, client)
	s.Stop()
	publish(t, client, 200, 400)
	eventually(t, "somebody says what is wrong", func() bool { return fault.Code(client.Err()) == "publish_unavailable" })
	if client.Pending() != 200 {
		t.Errorf("%d wait", client.Pending())
	}
	s.Restart()
	publish(t, client, 400, 600)
	flush(t, client)
	wantIDs(t, numbers(0, 600), stored(t, s))
	if err := client.Err(); err != nil {
		t.Errorf("it still says %v", err)
	}
}

func TestAStreamThatIsNotThereYet(t *testing.T) {
	s := streamtest.Empty(t)
	client := open(t, t.TempDir(), checkins.NATS(stream.NewPublisher(s.JS, stream.Patience{})))
	publish(t, client, 0, 5)
	eventually(t, "somebody says what is wrong", func() bool { return fault.Code(client.Err()) == "no_stream" })
	s.Setup(streamtest.Config)
	flush(t, client)
	wantIDs(t, numbers(0, 5), stored(t, s))
}

func TestAnEventOfAnothersSpaceIsRefusedBeforeItIsSent(t *testing.T) {
	s := streamtest.New(t)
	client := open(t, t.TempDir(), checkins.NATS(stream.NewPublisher(s.JS, stream.Patience{}), "soho", "berlin"))
	stray := checkIn(1)
	stray.Space = "paris"
	publish(t, client, 0, 1)
	if err := client.Publish(t.Context(), stray); err != nil {
		t.Fatal(err)
	}
	publish(t, client, 2, 4)
	flush(t, client)
	wantIDs(t, []string{"0", "2", "3"}, stored(t, s))
	refused, err := client.Refused()
	if err != nil || len(refused) != 1 || refused[0].Code != "space_forbidden" || refused[0].Pointer != "/data/space" || refused[0].Event.Space != "paris" {
		t.Errorf("%v, %v", refused, err)
	}
}
