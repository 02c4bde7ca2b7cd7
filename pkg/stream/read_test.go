package stream_test

import (
	"errors"
	"testing"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/stream"
	"coworking/pkg/streamtest"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
)

func TestAPartitionIsReadWithoutItsDurable(t *testing.T) {
	s := streamtest.New(t)
	consumer := bind(t, s, s.Config, 0)
	if diff := cmp.Diff([]uint64(nil), sequences(t, consumer, 10)); diff != "" {
		t.Errorf("of an empty stream (-want +got):\n%s", diff)
	}
	publish(t, s, "checkin", 5)
	for through, want := range map[uint64][]uint64{3: {1, 2, 3}, 5: {1, 2, 3, 4, 5}, 9: {1, 2, 3, 4, 5}} {
		if diff := cmp.Diff(want, sequences(t, consumer, through)); diff != "" {
			t.Errorf("through %d (-want +got):\n%s", through, diff)
		}
	}
	enough := errors.New("enough")
	if err := consumer.Each(t.Context(), 5, func(stream.Stored) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("stopped by its reader: %v", err)
	}
	if info := bind(t, s, s.Config, 0).CachedInfo(); info.NumPending != 5 || info.Delivered.Stream != 0 {
		t.Errorf("the durable was disturbed: %+v", info)
	}
}

func TestSettledIsWhereTheDurableStands(t *testing.T) {
	s := streamtest.New(t)
	consumer := bind(t, s, s.Config, 0)
	settled := func(step string, want, wantLast uint64) {
		t.Helper()
		if got, last, err := consumer.Settled(t.Context()); got != want || last != wantLast || err != nil {
			t.Errorf("%s: %d of %d (%v), want %d of %d", step, got, last, err, want, wantLast)
		}
	}
	settled("an empty stream", 0, 0)
	publish(t, s, "checkin", 5)
	settled("nothing read", 0, 5)
	batch, err := consumer.Fetch(3, jetstream.FetchMaxWait(10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	for message := range batch.Messages() {
		if metadata, err := message.Metadata(); err == nil && metadata.Sequence.Stream <= 2 {
			if err := message.DoubleAck(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	settled("three handed out, two answered", 2, 5)
}

// A message can be erased again, wherever it was, and what cannot be erased is not
// taken for gone.
func TestAMessageIsErasedOnceAndForAll(t *testing.T) {
	s := streamtest.New(t)
	publish(t, s, "checkin", 5)
	consumer := bind(t, s, s.Config, 0)
	for _, sequence := range []uint64{3, 3, 1, 1, 5, 5, 77} {
		if err := consumer.Erase(t.Context(), sequence); err != nil {
			t.Errorf("message %d: %v", sequence, err)
		}
	}
	if diff := cmp.Diff([]uint64{2, 4}, sequences(t, consumer, 5)); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}

	there, err := s.JS.Stream(t.Context(), stream.Name)
	if err != nil {
		t.Fatal(err)
	}
	config := there.CachedInfo().Config
	config.DenyDelete = true
	if _, err := s.JS.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if err := consumer.Erase(t.Context(), 2); fault.Of(err) != fault.Unavailable {
		t.Errorf("from a stream that keeps everything: %v", err)
	}
}

// sequences is what Each reads.
func sequences(t *testing.T, consumer *stream.Consumer, through uint64) []uint64 {
	t.Helper()
	var all []uint64
	err := consumer.Each(t.Context(), through, func(m stream.Stored) error {
		if m.Subject == "" || len(m.Body) == 0 || m.Received.IsZero() {
			t.Errorf("%+v", m)
		}
		all = append(all, m.Sequence)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
