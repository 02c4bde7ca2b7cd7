package stream_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/stream"
	"coworking/pkg/streamtest"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
)

var prompt = stream.Patience{Acknowledgement: 5 * time.Second}

func TestManyMessagesAreStoredInOrder(t *testing.T) {
	s := streamtest.New(t)
	var progress []int
	results := stream.NewPublisher(s.JS, prompt).PublishBatch(t.Context(), messages(2500), func(stored int) { progress = append(progress, stored) })
	if err := results.Err(); err != nil || len(results) != 2500 {
		t.Fatalf("%d results: %v", len(results), err)
	}
	if diff := cmp.Diff([]int{1000, 2000, 2500}, progress); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
	counted(t, s, 2500)
	for i, message := range drain(t, bind(t, s, s.Config, 0)) {
		if want := fmt.Sprint("event ", i); string(message.Data()) != want || message.Subject() != "checkins.v1.0.berlin.checkin" {
			t.Fatalf("message %d is %q on %s", i, message.Data(), message.Subject())
		}
		if id := message.Headers().Get(nats.MsgIdHdr); id != "" {
			t.Fatalf("message %d suppresses others with the id %q", i, id)
		}
	}
}

// A batch is all or nothing, so when the broker takes none its messages go one by
// one, and each has its own answer.
func TestWhereBatchesAreRefusedMessagesGoOneByOne(t *testing.T) {
	s := streamtest.New(t)
	there, err := s.JS.Stream(t.Context(), stream.Name)
	if err != nil {
		t.Fatal(err)
	}
	config := there.CachedInfo().Config
	config.AllowAtomicPublish = false
	if _, err := s.JS.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if err := stream.NewPublisher(s.JS, prompt).PublishBatch(t.Context(), messages(300), nil).Err(); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, s); got != 300 {
		t.Errorf("%d messages stored, want 300", got)
	}
}

func TestOneMessageThatIsTooLargeHoldsUpNobody(t *testing.T) {
	s := streamtest.New(t)
	batch := messages(5)
	batch[2].Body = []byte(strings.Repeat("x", stream.MaxMessage))
	results := stream.NewPublisher(s.JS, prompt).PublishBatch(t.Context(), batch, nil)
	if got, want := codes(results), []string{"", "", "body_too_large", "", ""}; !cmp.Equal(got, want) {
		t.Errorf("codes %q, want %q", got, want)
	}
	if fault.Of(results.Err()) != fault.Invalid || stored(t, s) != 4 {
		t.Errorf("%d stored, %v", stored(t, s), results.Err())
	}

	batch[2].Body = []byte(strings.Repeat("x", stream.MaxMessage-1024)) // as large as may be
	if err := stream.NewPublisher(s.JS, prompt).PublishBatch(t.Context(), batch, nil).Err(); err != nil {
		t.Error(err)
	}
}

func TestAPublisherIsToldWhy(t *testing.T) {
	cases := map[string]struct {
		prepare func(t *testing.T) *streamtest.Stream
		want    string
	}{
		"the stream is full": {
			prepare: func(t *testing.T) *streamtest.Stream {
				t.Helper()
				s := streamtest.Empty(t)
				s.Setup(stream.Config{MaxBytes: 2 * stream.MaxMessage})
				publisher := stream.NewPublisher(s.JS, prompt)
				for {
					err := publisher.Publish(t.Context(), stream.Message{Subject: "checkins.v1.berlin.checkin", Body: make([]byte, 1000)})
					if err != nil {
						return s
					}
				}
			},
			want: "stream_full",
		},
		"there is no stream": {
			prepare: streamtest.Empty,
			want:    "no_stream",
		},
		"there is no broker": {
			prepare: func(t *testing.T) *streamtest.Stream {
				t.Helper()
				s := streamtest.New(t)
				s.Stop()
				return s
			},
			want: "publish_unavailable",
		},
		"nobody answers": {
			prepare: func(t *testing.T) *streamtest.Stream {
				t.Helper()
				s := streamtest.Empty(t)
				conn, _ := s.Connect()
				if _, err := conn.Subscribe("checkins.>", func(*nats.Msg) {}); err != nil {
					t.Fatal(err)
				}
				if err := conn.Flush(); err != nil {
					t.Fatal(err)
				}
				return s
			},
			want: "publish_unavailable",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := c.prepare(t)
			publisher := stream.NewPublisher(s.JS, stream.Patience{Acknowledgement: 300 * time.Millisecond})
			large := stream.Message{Subject: "checkins.v1.berlin.checkin", Body: make([]byte, 1000)}
			for _, batch := range [][]stream.Message{{large}, {large, large, large}} {
				for i, err := range publisher.PublishBatch(t.Context(), batch, nil) {
					if fault.Code(err) != c.want || fault.Of(err) != fault.Unavailable {
						t.Errorf("message %d of %d: %q, %v", i, len(batch), fault.Code(err), err)
					}
				}
			}
		})
	}
}

// The stream refuses a batch that does not fit as a whole: nothing of it is stored.
func TestABatchThatDoesNotFitLeavesNothing(t *testing.T) {
	s := streamtest.Empty(t)
	s.Setup(stream.Config{MaxBytes: 10 * stream.MaxMessage})
	batch := make([]stream.Message, 1000)
	for i := range batch {
		batch[i] = stream.Message{Subject: "checkins.v1.berlin.checkin", Body: make([]byte, 1000)}
	}
	results := stream.NewPublisher(s.JS, prompt).PublishBatch(t.Context(), batch, nil)
	if err := results.Err(); fault.Code(err) != "stream_full" || stored(t, s) != 0 {
		t.Errorf("%d of the batch are stored, %v", stored(t, s), err)
	}
}

func TestAPatientPublisherSeesAnOutageThrough(t *testing.T) {
	for name, count := range map[string]int{"one message": 1, "a batch": 500} {
		t.Run(name, func(t *testing.T) {
			s := streamtest.New(t)
			s.Stop()
			done := make(chan error)
			go func() {
				publisher := stream.NewPublisher(s.JS, stream.Patience{Outage: time.Minute})
				done <- publisher.PublishBatch(t.Context(), messages(count), nil).Err()
			}()
			s.Restart()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			s.Conn, s.JS = s.Connect()
			if got := stored(t, s); got < count {
				t.Errorf("%d messages of %d are stored", got, count)
			}
		})
	}
}

func TestAPublisherStopsWhenItsCallerDoes(t *testing.T) {
	s := streamtest.New(t)
	s.Stop()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	publisher := stream.NewPublisher(s.JS, stream.Patience{Outage: time.Hour})
	for _, err := range publisher.PublishBatch(ctx, messages(3), nil) {
		if fault.Code(err) != "publish_unavailable" {
			t.Errorf("%v", err)
		}
	}
}

// Without an inbox of its own an event is stored, but nobody hears of it.
func TestAnInboxOfOnesOwn(t *testing.T) {
	s := streamtest.New(t)
	_, js := s.Connect(nats.CustomInboxPrefix("_DOOR_7"))
	if err := stream.NewPublisher(js, prompt).PublishBatch(t.Context(), messages(10), nil).Err(); err != nil {
		t.Error(err)
	}
}

func TestNothingToPublishIsNoError(t *testing.T) {
	s := streamtest.New(t)
	if results := stream.NewPublisher(s.JS, prompt).PublishBatch(t.Context(), nil, nil); results.Err() != nil || len(results) != 0 {
		t.Errorf("%v", results)
	}
}

// BenchmarkPublishBatch is the road of an import, to a broker that syncs each batch.
func BenchmarkPublishBatch(b *testing.B) {
	url := startSyncing(b)
	conn, js, err := stream.Connect(url, b.Name(), nop)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = stream.Close(conn) }()
	if _, err := stream.Setup(b.Context(), js, stream.Config{}); err != nil {
		b.Fatal(err)
	}
	publisher := stream.NewPublisher(js, prompt)
	batch := messages(10_000)
	for i := range batch {
		batch[i].Body = []byte(strings.Repeat("x", 300))
	}
	for b.Loop() {
		if err := publisher.PublishBatch(b.Context(), batch, nil).Err(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(batch))/b.Elapsed().Seconds(), "events/s")
}

func messages(n int) []stream.Message {
	all := make([]stream.Message, n)
	for i := range all {
		all[i] = stream.Message{Subject: "checkins.v1.berlin.checkin", Body: fmt.Append(nil, "event ", i)}
	}
	return all
}

// stored is how many messages the stream has.
func stored(t *testing.T, s *streamtest.Stream) int {
	t.Helper()
	there, err := s.JS.Stream(t.Context(), stream.Name)
	if err != nil {
		t.Fatal(err)
	}
	return int(there.CachedInfo().State.Msgs)
}

func codes(results stream.Results) []string {
	all := make([]string, len(results))
	for i, err := range results {
		all[i] = fault.Code(err)
	}
	return all
}
