package stream_test

import (
	"testing"
	"time"

	"coworking/pkg/devbroker"
	"coworking/pkg/fault"
	"coworking/pkg/stream"
	"coworking/pkg/streamtest"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// A service may start before its broker: it connects as soon as that is there, and
// says once that it waits.
func TestABrokerThatComesLateIsFound(t *testing.T) {
	first := start(t, devbroker.Config{Dir: t.TempDir()})
	first.Close()

	core, logged := observer.New(zap.InfoLevel)
	came := make(chan struct{})
	conn, js, err := stream.Connect(first.URL(), "early", zap.New(core), nats.ConnectHandler(func(*nats.Conn) { close(came) }))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Close(conn) }()
	if _, err := stream.Setup(t.Context(), js, streamtest.Config); fault.Of(err) != fault.Unavailable {
		t.Errorf("without a broker: %v", err)
	}
	start(t, devbroker.Config{Dir: t.TempDir(), Addr: first.Addr()})
	<-came
	if _, err := stream.Setup(t.Context(), js, streamtest.Config); err != nil {
		t.Error(err)
	}
	messages := map[string]int{}
	for _, entry := range logged.All() {
		messages[entry.Message]++
	}
	if messages["no connection to the broker"] > 1 {
		t.Errorf("logged: %v", messages)
	}
}

// What was sent before Close is with the broker after it.
func TestCloseSendsWhatIsToBeSent(t *testing.T) {
	s := streamtest.New(t)
	publish(t, s, "checkin", 100)
	conn, js, err := stream.Connect(s.URL, t.Name(), nop)
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := stream.Bind(t.Context(), js, s.Config, 0)
	if err != nil {
		t.Fatal(err)
	}
	batch, err := consumer.Fetch(100, jetstream.FetchMaxWait(10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	for message := range batch.Messages() {
		if err := message.Ack(); err != nil {
			t.Fatal(err)
		}
	}
	if err := stream.Close(conn); err != nil {
		t.Fatal(err)
	}
	info := bind(t, s, s.Config, 0).CachedInfo()
	if info.NumAckPending != 0 || info.AckFloor.Stream != 100 {
		t.Errorf("unanswered %d, answered up to %d", info.NumAckPending, info.AckFloor.Stream)
	}
	if err := stream.Close(conn); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

// Its password is nobody's business.
func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	_, _, err := stream.Connect("nats://user:secret@[::", t.Name(), nop)
	if fault.Of(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
	if diff := cmp.Diff("connecting to the broker: missing ']' in host", err.Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
