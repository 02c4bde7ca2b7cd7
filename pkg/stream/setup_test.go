package stream_test

import (
	"fmt"
	"testing"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/stream"
	"coworking/pkg/streamtest"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSettingUpTwiceChangesNothing(t *testing.T) {
	s := streamtest.Empty(t)
	want := []string{
		"stream CHECKINS made: partitions 1, replicas 1, max_bytes 268435456",
		"durable ingest-v1-0 made: ack_wait 1m0s, max_ack_pending 20000",
	}
	if diff := cmp.Diff(want, s.Setup(streamtest.Config)); diff != "" {
		t.Errorf("first (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string(nil), s.Setup(streamtest.Config)); diff != "" {
		t.Errorf("again (-want +got):\n%s", diff)
	}
	if _, err := stream.Bind(t.Context(), s.JS, streamtest.Config, 0); err != nil {
		t.Errorf("binding: %v", err)
	}
}

// Whatever somebody turns by hand, a worker refuses to start on it and says what it
// is; setup puts it right and says that.
func TestDriftIsRefusedByNameAndPutRight(t *testing.T) {
	cases := map[string]struct {
		stream  func(*jetstream.StreamConfig)
		durable func(*jetstream.ConsumerConfig)
		refusal string
		repair  string
	}{
		"old events make room for new ones": {
			stream:  func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld },
			refusal: "stream CHECKINS has drifted: discard is DiscardOld, wanted DiscardNew; `ingest setup` puts it right",
			repair:  "stream CHECKINS: discard was DiscardOld, is DiscardNew",
		},
		"events are kept a day": {
			stream:  func(c *jetstream.StreamConfig) { c.MaxAge = 24 * time.Hour },
			refusal: "stream CHECKINS has drifted: max_age is 24h0m0s, wanted 336h0m0s; `ingest setup` puts it right",
			repair:  "stream CHECKINS: max_age was 24h0m0s, is 336h0m0s",
		},
		"a header may replace events": {
			stream:  func(c *jetstream.StreamConfig) { c.AllowRollup = true },
			refusal: "stream CHECKINS has drifted: allow_rollup_hdrs is true, wanted false; `ingest setup` puts it right",
			repair:  "stream CHECKINS: allow_rollup_hdrs was true, is false",
		},
		"ids suppress events for two minutes": {
			stream:  func(c *jetstream.StreamConfig) { c.Duplicates = 2 * time.Minute },
			refusal: "stream CHECKINS has drifted: duplicate_window is 2m0s, wanted 100ms; `ingest setup` puts it right",
			repair:  "stream CHECKINS: duplicate_window was 2m0s, is 100ms",
		},
		"no partition is put in": {
			stream: func(c *jetstream.StreamConfig) { c.SubjectTransform = nil },
			refusal: "stream CHECKINS has drifted: subject_transform is nothing, wanted {Source:checkins.v1.*.> Destination:checkins.v1.{{partition(1,1)}}.{{wildcard(1)}}.>}; " +
				"`ingest setup` puts it right",
			repair: "stream CHECKINS: subject_transform was nothing, is {Source:checkins.v1.*.> Destination:checkins.v1.{{partition(1,1)}}.{{wildcard(1)}}.>}",
		},
		"another subject comes in, and batches do not": {
			stream: func(c *jetstream.StreamConfig) {
				c.Subjects = append(c.Subjects, "orders.>")
				c.AllowAtomicPublish = false
			},
			refusal: "stream CHECKINS has drifted: subjects is [checkins.v1.*.> orders.>], wanted [checkins.v1.*.>]; allow_atomic is false, wanted true; `ingest setup` puts it right",
			repair:  "stream CHECKINS: subjects was [checkins.v1.*.> orders.>], is [checkins.v1.*.>]",
		},
		"an event is tried five times": {
			durable: func(c *jetstream.ConsumerConfig) { c.MaxDeliver = 5 },
			refusal: "durable ingest-v1-0 has drifted: max_deliver is 5, wanted -1; `ingest setup` puts it right",
			repair:  "durable ingest-v1-0: max_deliver was 5, is -1",
		},
		"the worker reads one kind": {
			durable: func(c *jetstream.ConsumerConfig) { c.FilterSubject = "checkins.v1.0.*.checkin" },
			refusal: "durable ingest-v1-0 has drifted: filter_subject is checkins.v1.0.*.checkin, wanted checkins.v1.0.>; `ingest setup` puts it right",
			repair:  "durable ingest-v1-0: filter_subject was checkins.v1.0.*.checkin, is checkins.v1.0.>",
		},
		"a transaction may outlast the ack wait": {
			durable: func(c *jetstream.ConsumerConfig) { c.AckWait = 30 * time.Second },
			refusal: "durable ingest-v1-0 has drifted: ack_wait is 30s, wanted 1m0s; `ingest setup` puts it right",
			repair:  "durable ingest-v1-0: ack_wait was 30s, is 1m0s",
		},
		"the durable goes when it is idle": {
			durable: func(c *jetstream.ConsumerConfig) { c.InactiveThreshold = time.Hour },
			refusal: "durable ingest-v1-0 has drifted: inactive_threshold is 1h0m0s, wanted 0s; `ingest setup` puts it right",
			repair:  "durable ingest-v1-0: inactive_threshold was 1h0m0s, is 0s",
		},
	}
	wanted := streamtest.Config
	wanted.AckWait, wanted.MaxAckPending = stream.DefaultAckWait, stream.DefaultMaxAckPending
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := streamtest.New(t)
			if c.stream != nil {
				there, err := s.JS.Stream(t.Context(), stream.Name)
				if err != nil {
					t.Fatal(err)
				}
				config := there.CachedInfo().Config
				c.stream(&config)
				if _, err := s.JS.UpdateStream(t.Context(), config); err != nil {
					t.Fatal(err)
				}
			}
			if c.durable != nil {
				config := bind(t, s, wanted, 0).CachedInfo().Config
				c.durable(&config)
				if _, err := s.JS.UpdateConsumer(t.Context(), stream.Name, config); err != nil {
					t.Fatal(err)
				}
			}

			_, err := stream.Bind(t.Context(), s.JS, wanted, 0)
			if err == nil || err.Error() != c.refusal || fault.Of(err) != fault.Internal {
				t.Errorf("binding: %v (%v)\nwant     %s", err, fault.Of(err), c.refusal)
			}
			if changes := s.Setup(streamtest.Config); len(changes) == 0 || changes[0] != c.repair {
				t.Errorf("setup: %q\nwant   %q", changes, c.repair)
			}
			bind(t, s, wanted, 0)
		})
	}
}

// What an operator may choose is no drift, and setup leaves it alone.
func TestWhatIsAnOperatorsBusinessIsKept(t *testing.T) {
	s := streamtest.New(t)
	config := bind(t, s, s.Config, 0).CachedInfo().Config
	config.Description = "mine"
	config.AckWait, config.MaxAckPending = 5*time.Minute, 100_000
	if _, err := s.JS.UpdateConsumer(t.Context(), stream.Name, config); err != nil {
		t.Fatal(err)
	}
	bind(t, s, stream.Config{Partitions: 1, AckWait: time.Minute, MaxAckPending: 20_000}, 0)
	s.Setup(streamtest.Config)
	if got := bind(t, s, s.Config, 0).CachedInfo().Config.Description; got != "mine" {
		t.Errorf("description %q", got)
	}
}

func TestWhatIsNotThereIsWaitedFor(t *testing.T) {
	s := streamtest.Empty(t)
	_, err := stream.Bind(t.Context(), s.JS, streamtest.Config, 0)
	if fault.Of(err) != fault.Unavailable || fault.Code(err) != "no_stream" {
		t.Errorf("without a stream: %v, %v", fault.Of(err), err)
	}
	s.Setup(streamtest.Config)
	if err := s.JS.DeleteConsumer(t.Context(), stream.Name, stream.Durable(0)); err != nil {
		t.Fatal(err)
	}
	_, err = stream.Bind(t.Context(), s.JS, streamtest.Config, 0)
	if fault.Of(err) != fault.Unavailable || fault.Code(err) != "no_stream" {
		t.Errorf("without a durable: %v, %v", fault.Of(err), err)
	}
	s.Stop()
	_, err = stream.Bind(t.Context(), s.JS, streamtest.Config, 0)
	if fault.Of(err) != fault.Unavailable {
		t.Errorf("without a broker: %v, %v", fault.Of(err), err)
	}
}

func TestNumbersThatCannotBeMeantAreRefused(t *testing.T) {
	cases := map[string]struct {
		config stream.Config
		want   fault.Kind
	}{
		"partitions below zero":              {stream.Config{Partitions: -1}, fault.Invalid},
		"too many partitions":                {stream.Config{Partitions: 5000}, fault.Invalid},
		"too many replicas":                  {stream.Config{Replicas: 6}, fault.Invalid},
		"room for less than one message":     {stream.Config{MaxBytes: 10}, fault.Invalid},
		"an ack wait below zero":             {stream.Config{AckWait: -time.Second}, fault.Invalid},
		"copies that one broker cannot hold": {stream.Config{Replicas: 3}, fault.Internal},
		"more room than there is":            {stream.Config{MaxBytes: 1 << 60}, fault.Internal},
	}
	s := streamtest.Empty(t)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if changes, err := stream.Setup(t.Context(), s.JS, c.config); fault.Of(err) != c.want || len(changes) > 0 {
				t.Errorf("%v: %v, and changed %q", fault.Of(err), err, changes)
			}
		})
	}
	s.Setup(streamtest.Config)
	for _, partition := range []int{-1, 1} {
		if _, err := stream.Bind(t.Context(), s.JS, streamtest.Config, partition); fault.Of(err) != fault.Internal {
			t.Errorf("binding partition %d: %v", partition, err)
		}
	}
}

// A repartition moves nothing: what was stored is still the first durable's, and
// each space's new events are all in one other.
func TestMorePartitionsKeepWhatIsStored(t *testing.T) {
	s := streamtest.New(t)
	publish(t, s, "before", 40)
	four := streamtest.Config
	four.Partitions = 4
	want := []string{
		"stream CHECKINS: subject_transform.dest was checkins.v1.{{partition(1,1)}}.{{wildcard(1)}}.>, is checkins.v1.{{partition(4,1)}}.{{wildcard(1)}}.>",
		"durable ingest-v1-1 made: ack_wait 1m0s, max_ack_pending 20000",
		"durable ingest-v1-2 made: ack_wait 1m0s, max_ack_pending 20000",
		"durable ingest-v1-3 made: ack_wait 1m0s, max_ack_pending 20000",
	}
	if diff := cmp.Diff(want, s.Setup(four)); diff != "" {
		t.Errorf("setup (-want +got):\n%s", diff)
	}
	if _, err := stream.Bind(t.Context(), s.JS, streamtest.Config, 0); fault.Of(err) != fault.Internal {
		t.Errorf("a worker of the old partitions was let in: %v", err)
	}
	publish(t, s, "after", 40)

	before, after, homes := 0, 0, map[string]int{}
	for partition := range 4 {
		for _, message := range drain(t, bind(t, s, four, partition)) {
			subject, err := stream.ParseSubject(message.Subject())
			if err != nil || subject.Partition != partition {
				t.Fatalf("durable %d got %s: %v", partition, message.Subject(), err)
			}
			switch subject.Kind {
			case "before":
				before++
			case "after":
				after++
				if home, ok := homes[subject.Space]; ok && home != partition {
					t.Errorf("%s is in %d and %d", subject.Space, home, partition)
				}
				homes[subject.Space] = partition
			}
		}
	}
	used := map[int]bool{}
	for _, partition := range homes {
		used[partition] = true
	}
	if before != 40 || after != 40 || len(used) != 4 {
		t.Errorf("%d from before, %d from after, in %d partitions", before, after, len(used))
	}
}

func TestFewerPartitionsWaitUntilAllIsRead(t *testing.T) {
	s := streamtest.Empty(t)
	two := streamtest.Config
	two.Partitions = 2
	s.Setup(two)
	publish(t, s, "checkin", 40)

	changes, err := stream.Setup(t.Context(), s.JS, streamtest.Config)
	left := bind(t, s, two, 1).CachedInfo().NumPending
	want := fmt.Sprintf("1 partitions: durable ingest-v1-1 still has %d messages that nobody would read; let its worker catch up while publishers pause, then run setup again", left)
	if fault.Of(err) != fault.Invalid || err.Error() != want || len(changes) > 0 || left == 0 {
		t.Errorf("with %d messages left: %v, changed %q", left, err, changes)
	}
	bind(t, s, two, 1) // nothing was touched

	drain(t, bind(t, s, two, 1))
	wantChanges := []string{
		"stream CHECKINS: subject_transform.dest was checkins.v1.{{partition(2,1)}}.{{wildcard(1)}}.>, is checkins.v1.{{partition(1,1)}}.{{wildcard(1)}}.>",
		"durable ingest-v1-1 removed: its partition is gone, and it had read everything",
	}
	if diff := cmp.Diff(wantChanges, s.Setup(streamtest.Config)); diff != "" {
		t.Errorf("once drained (-want +got):\n%s", diff)
	}
	publish(t, s, "checkin", 40)
	if got := len(drain(t, bind(t, s, streamtest.Config, 0))); got != 80-int(left) {
		t.Errorf("the durable that stayed got %d messages, want %d", got, 80-left)
	}
}

// Between the look and the change a publisher was quick: the partitions come back.
func TestAPartitionThatFillsUpMeanwhileStays(t *testing.T) {
	s := streamtest.Empty(t)
	two := streamtest.Config
	two.Partitions = 2
	s.Setup(two)
	there, err := s.JS.Stream(t.Context(), stream.Name)
	if err != nil {
		t.Fatal(err)
	}
	before := there.CachedInfo().Config
	publish(t, s, "checkin", 40)
	config := before
	config.SubjectTransform = &jetstream.SubjectTransformConfig{
		Source: "checkins.v1.*.>", Destination: "checkins.v1.{{partition(1,1)}}.{{wildcard(1)}}.>",
	}
	if _, err := s.JS.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if changes, err := stream.RemoveDurables(t.Context(), s.JS, streamtest.Config, &before); fault.Of(err) != fault.Invalid || len(changes) > 0 {
		t.Errorf("%v, changed %q", err, changes)
	}
	for partition := range 2 {
		bind(t, s, two, partition)
	}
}

func TestAReplayHandsEverythingOutOnceMore(t *testing.T) {
	s := streamtest.New(t)
	publish(t, s, "checkin", 5)
	if first := drain(t, bind(t, s, s.Config, 0)); len(first) != 5 {
		t.Fatalf("%d messages", len(first))
	}
	changes, err := stream.Replay(t.Context(), s.JS, s.Config)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("durable ingest-v1-0 removed: it stood at message 5", changes[0]); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
	if again := drain(t, bind(t, s, s.Config, 0)); len(again) != 5 {
		t.Errorf("%d messages once more, not 5", len(again))
	}
}

// Who may write for a space named "0" writes for nobody else: what it puts where
// the stream puts the partition is delivered under its own name, and refused.
func TestAPartitionCannotBeForged(t *testing.T) {
	s := streamtest.New(t)
	if err := stream.NewPublisher(s.JS, stream.Patience{}).Publish(t.Context(), stream.Message{Subject: "checkins.v1.0.victim.checkin"}); err != nil {
		t.Fatal(err)
	}
	counted(t, s, 1)
	messages := drain(t, bind(t, s, s.Config, 0))
	if len(messages) != 1 || messages[0].Subject() != "checkins.v1.0.0.victim.checkin" {
		t.Fatalf("stored: %v", messages)
	}
	if got, err := stream.ParseSubject(messages[0].Subject()); fault.Code(err) != "invalid_space" {
		t.Errorf("read as %+v, %v", got, err)
	}
}

func TestReceivedTellsWhenAMessageWasStored(t *testing.T) {
	s := streamtest.New(t)
	publish(t, s, "checkin", 3)
	consumer := bind(t, s, s.Config, 0)
	for _, message := range drain(t, consumer) {
		metadata, err := message.Metadata()
		if err != nil {
			t.Fatal(err)
		}
		got, err := consumer.Received(t.Context(), metadata.Sequence.Stream)
		if err != nil || !got.Equal(metadata.Timestamp) {
			t.Errorf("message %d: %v (%v), want %v", metadata.Sequence.Stream, got, err, metadata.Timestamp)
		}
	}
	for _, sequence := range []uint64{0, 4} {
		if _, err := consumer.Received(t.Context(), sequence); fault.Of(err) != fault.NotFound {
			t.Errorf("message %d: %v", sequence, err)
		}
	}
	if consumer.Created.IsZero() {
		t.Error("the stream does not say when it was made")
	}
}

func TestABrokerThatStartsAgainHasEverything(t *testing.T) {
	s := streamtest.New(t)
	publish(t, s, "checkin", 25)
	s.Stop()
	s.Restart()
	_, s.JS = s.Connect()
	publish(t, s, "checkin", 25)
	if got := len(drain(t, bind(t, s, s.Config, 0))); got != 50 {
		t.Errorf("%d messages of 50", got)
	}
}

func bind(t *testing.T, s *streamtest.Stream, c stream.Config, partition int) *stream.Consumer {
	t.Helper()
	consumer, err := stream.Bind(t.Context(), s.JS, c, partition)
	if err != nil {
		t.Fatalf("binding partition %d: %v", partition, err)
	}
	return consumer
}

// publish stores n messages of a kind, of twenty spaces in turn.
func publish(t *testing.T, s *streamtest.Stream, kind string, n int) {
	t.Helper()
	before := pending(t, s)
	messages := make([]stream.Message, n)
	for i := range messages {
		messages[i] = stream.Message{Subject: fmt.Sprintf("checkins.v1.space-%d.%s", i%20, kind), Body: fmt.Appendf(nil, "%s %d", kind, i)}
	}
	if err := stream.NewPublisher(s.JS, stream.Patience{}).PublishBatch(t.Context(), messages, nil).Err(); err != nil {
		t.Fatalf("publishing: %v", err)
	}
	counted(t, s, before+n)
}

// counted waits until the durables count so many messages that wait for a worker: they do
// so a moment after the publisher heard that the stream has a message.
func counted(t *testing.T, s *streamtest.Stream, n int) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); ; <-tick.C {
		got := pending(t, s)
		if got == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d messages wait, want %d", got, n)
		}
	}
}

// pending is how many messages wait for a worker, in all partitions.
func pending(t *testing.T, s *streamtest.Stream) (n int) {
	t.Helper()
	there, err := s.JS.Stream(t.Context(), stream.Name)
	if err != nil {
		t.Fatal(err)
	}
	consumers := there.ListConsumers(t.Context())
	for consumer := range consumers.Info() {
		if consumer.Config.Durable != "" { // who reads without a durable leaves one behind for a moment
			n += int(consumer.NumPending)
		}
	}
	if err := consumers.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

// drain reads all that a durable has, in order, and acknowledges it.
func drain(t *testing.T, consumer jetstream.Consumer) []jetstream.Msg {
	t.Helper()
	info, err := consumer.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info.NumPending == 0 {
		return nil
	}
	batch, err := consumer.Fetch(int(info.NumPending), jetstream.FetchMaxWait(10*time.Second), jetstream.FetchHeartbeat(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	var messages []jetstream.Msg
	for message := range batch.Messages() {
		messages = append(messages, message)
		if err := message.DoubleAck(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if batch.Error() != nil || len(messages) != int(info.NumPending) {
		t.Fatalf("%d messages of %d: %v", len(messages), info.NumPending, batch.Error())
	}
	return messages
}
