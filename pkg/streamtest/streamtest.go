// Package streamtest gives a test a broker of its own, with the stream set up.
package streamtest

import (
	"testing"

	"coworking/pkg/devbroker"
	"coworking/pkg/stream"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// Config is what New sets up: one partition, and little room.
var Config = stream.Config{Partitions: 1, Replicas: 1, MaxBytes: 256 << 20}

// Stream is a broker with the stream and its durables, and a connection to it.
type Stream struct {
	URL    string
	Conn   *nats.Conn
	JS     jetstream.JetStream
	Config stream.Config

	t      *testing.T
	dir    string
	broker *devbroker.Broker
}

// New starts a broker and sets the stream up as Config says; all is gone when the
// test ends.
func New(t *testing.T) *Stream {
	t.Helper()
	s := Empty(t)
	s.Setup(Config)
	return s
}

// Empty starts a broker that has no stream yet.
func Empty(t *testing.T) *Stream {
	t.Helper()
	s := &Stream{t: t, dir: t.TempDir()}
	s.start("")
	s.URL = s.broker.URL()
	t.Cleanup(func() { s.broker.Close() })
	s.Conn, s.JS = s.Connect()
	return s
}

// Setup is stream.Setup, and returns what it changed.
func (s *Stream) Setup(c stream.Config) []string {
	s.t.Helper()
	changes, err := stream.Setup(s.t.Context(), s.JS, c)
	if err != nil {
		s.t.Fatalf("setting the stream up: %v", err)
	}
	s.Config = c
	return changes
}

// Connect gives another connection, closed when the test ends.
func (s *Stream) Connect(options ...nats.Option) (*nats.Conn, jetstream.JetStream) {
	s.t.Helper()
	// No log: the client's goroutines may still speak when the test is over.
	conn, js, err := stream.Connect(s.URL, s.t.Name(), zap.NewNop(), options...)
	if err != nil {
		s.t.Fatalf("connecting: %v", err)
	}
	s.t.Cleanup(func() {
		if err := stream.Close(conn); err != nil {
			s.t.Errorf("closing the connection: %v", err)
		}
	})
	return conn, js
}

// Stop stops the broker; what it stored stays.
func (s *Stream) Stop() { s.broker.Close() }

// Restart starts it again, at the same address and with what it stored.
func (s *Stream) Restart() {
	s.t.Helper()
	s.start(s.broker.Addr())
}

func (s *Stream) start(addr string) {
	s.t.Helper()
	broker, err := devbroker.Start(devbroker.Config{Dir: s.dir, Addr: addr})
	if err != nil {
		s.t.Fatalf("starting a broker: %v", err)
	}
	s.broker = broker
}
