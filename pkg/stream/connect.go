package stream

import (
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"coworking/pkg/fault"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// How long to wait for the broker, and how often to try.
const (
	connectTimeout = 5 * time.Second
	reconnectWait  = 500 * time.Millisecond
	pingInterval   = 10 * time.Second
	drainTimeout   = 10 * time.Second
	requestTimeout = 5 * time.Second
)

// Connect gives a connection that never gives up: it returns at once even if the
// broker is not there yet, and comes back after any outage. What is published
// while it is away fails at once instead of being buffered, so that nobody takes
// an event for stored that is not. name is shown in the broker's list of
// connections. The address may hold a password, and is never logged.
//
// Publishers whose account allows them one inbox only need nats.CustomInboxPrefix
// among the options: without it, acknowledgements are lost.
func Connect(address, name string, log *zap.Logger, options ...nats.Option) (*nats.Conn, jetstream.JetStream, error) {
	var said atomic.Value // the last reason, so that an outage is not a line a second
	all := append([]nats.Option{
		nats.Name(name),
		nats.Timeout(connectTimeout),
		nats.MaxReconnects(-1),
		nats.RetryOnFailedConnect(true),
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectWait, reconnectWait),
		nats.ReconnectBufSize(-1),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(2),
		nats.FlusherTimeout(requestTimeout), // a network that swallows everything holds nobody up for long
		nats.DrainTimeout(drainTimeout),
		nats.DisconnectErrHandler(func(conn *nats.Conn, err error) {
			if err != nil || !conn.IsClosed() && !conn.IsDraining() { // else it is we who go
				log.Warn("the broker is gone", zap.Error(err))
			}
		}),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) {
			if reason := err.Error(); said.Swap(reason) != reason {
				log.Warn("no connection to the broker", zap.Error(err))
			}
		}),
		nats.ReconnectHandler(func(conn *nats.Conn) {
			log.Info("the broker is back", zap.String("broker", conn.ConnectedUrlRedacted()))
		}),
		nats.ConnectHandler(func(conn *nats.Conn) {
			log.Info("connected", zap.String("broker", conn.ConnectedUrlRedacted()))
		}),
		nats.ErrorHandler(func(_ *nats.Conn, subscription *nats.Subscription, err error) {
			if subscription != nil {
				log.Warn("broker", zap.String("subject", subscription.Subject), zap.Error(err))
				return
			}
			log.Warn("broker", zap.Error(err))
		}),
	}, options...)
	conn, err := nats.Connect(address, all...)
	if err != nil {
		if parsing, ok := errors.AsType[*url.Error](err); ok {
			err = parsing.Err // it quotes the address, with its password
		}
		return nil, nil, fault.Invalid.Errorf("connecting to the broker: %w", err)
	}
	js, err := jetstream.New(conn, jetstream.WithDefaultTimeout(requestTimeout), jetstream.WithPublishAsyncTimeout(requestTimeout))
	if err != nil {
		conn.Close()
		return nil, nil, fault.Internal.Errorf("JetStream: %w", err)
	}
	return conn, js, nil
}

// Close sends what is still to be sent, acknowledgements above all, and closes the
// connection; it returns when that is done, after 10 seconds at most.
func Close(conn *nats.Conn) error {
	closed := conn.StatusChanged(nats.CLOSED)
	defer conn.RemoveStatusListener(closed)
	err := conn.Drain()
	if errors.Is(err, nats.ErrConnectionReconnecting) || errors.Is(err, nats.ErrConnectionClosed) {
		return nil // nobody to send to
	}
	if err != nil {
		conn.Close()
		return fault.Unavailable.Errorf("draining the connection to the broker: %w", err)
	}
	<-closed
	return nil
}

// silence is an error that the client gave instead of an answer, in words that say
// what happened: while the broker is away, its own speak of a buffer; and who may not
// publish is answered nothing.
func silence(conn *nats.Conn, err error) error {
	last := conn.LastError()
	switch away := errors.Is(err, nats.ErrReconnectBufExceeded); {
	case away && last != nil:
		return fmt.Errorf("no connection to the broker: %w", last)
	case away:
		return errors.New("no connection to the broker")
	case errors.Is(last, nats.ErrPermissionViolation):
		return fmt.Errorf("%w; the broker says: %w", err, last)
	default:
		return err
	}
}
