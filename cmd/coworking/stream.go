package main

import (
	"context"
	"net/url"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/stream"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// How long the broker may take.
const (
	connectPatience = 5 * time.Second  // to be found at all
	outagePatience  = 30 * time.Second // to come back
)

// broker is where a verb publishes to.
type broker struct {
	NATSURL string `name:"nats-url" required:"" env:"NATS_URL" placeholder:"URL" help:"The broker, such as nats://127.0.0.1:4222; 'coworking env' prints that of a running system."`

	Credentials stream.Credentials `embed:""`
}

// connect gives a connection that is up, and what closes it.
func (b broker) connect(ctx context.Context, log *zap.Logger) (jetstream.JetStream, func() error, error) {
	conn, js, err := b.Credentials.Connect(b.NATSURL, "coworking", log)
	if err != nil {
		return nil, nil, err
	}
	connected := conn.StatusChanged(nats.CONNECTED)
	defer conn.RemoveStatusListener(connected)
	patience := time.NewTimer(connectPatience)
	defer patience.Stop()
	for !conn.IsConnected() {
		select {
		case <-connected:
		case <-ctx.Done():
			conn.Close()
			return nil, nil, fault.Unavailable.Errorf("connecting to the broker: %w", ctx.Err())
		case <-patience.C:
			conn.Close()
			return nil, nil, fault.Unavailable.Errorf("no broker answers at %s; is the system up?", redacted(b.NATSURL))
		}
	}
	return js, func() error { return stream.Close(conn) }, nil
}

// publisher stores what it is given through an outage that passes.
func publisher(js jetstream.JetStream) *stream.Publisher {
	return stream.NewPublisher(js, stream.Patience{Outage: outagePatience})
}

// redacted is an address without its password.
func redacted(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return "…"
	}
	return parsed.Redacted()
}
