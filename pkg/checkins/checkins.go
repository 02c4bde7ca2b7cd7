// Package checkins is the client for those who tell what happens at a space: a door,
// a kiosk, an app. Publish keeps an event on this machine's disk and returns; it is
// delivered from there, in order, and again until the other side says that it has it,
// through outages of the network, of the other side and of this process.
//
//	client, err := checkins.Open("/var/lib/door/outbox", transport)
//	…
//	err = client.Publish(ctx, &event.Event{Source: "door-1", Kind: event.CheckIn, Member: "4711", Space: "soho"})
//
// Every event that Publish acknowledged is delivered at least once, always with the
// same source and id, and so it counts once.
package checkins

import (
	"context"
	"io"
	"sync"
	"time"

	"coworking/pkg/checkins/internal/outbox"
	"coworking/pkg/fault"

	"go.uber.org/zap"
)

// Client is an outbox and who delivers from it. It may be used by many goroutines at
// once.
type Client struct {
	options
	box       *outbox.Outbox
	transport Transport

	wake  chan struct{} // holds one: there is something to deliver
	stop  context.CancelFunc
	ended chan struct{}
	close func() error // once

	mu      sync.Mutex
	moved   chan struct{} // closed and replaced whenever the outbox has moved on
	trouble error         // what Err says
}

// options is what Open can be told.
type options struct {
	limit     int64
	first     time.Duration
	longest   time.Duration
	onRefused func(Refusal)
	log       *zap.Logger
}

// Option changes one of the defaults.
type Option func(*options)

// Limit is how many bytes the events that wait, and those that were refused, may take
// on disk; 64 MiB if not said, which is some 200,000 events. Publish says
// `outbox_full` where there is no more room.
func Limit(bytes int64) Option { return func(o *options) { o.limit = bytes } }

// Backoff is how long to wait after an attempt that failed: first, twice as long after
// each that follows, and longest at most; 200 ms and 30 s if not said. Up to half of a
// wait is left out by chance, so that a hundred doors do not come back in one instant.
func Backoff(first, longest time.Duration) Option {
	return func(o *options) { o.first, o.longest = first, longest }
}

// OnRefused is called with each event that will never be taken, once it is set aside.
// Nothing else is delivered until it returns, so it must neither Flush nor Close. After a
// crash it may be told of the same event again.
func OnRefused(tell func(Refusal)) Option { return func(o *options) { o.onRefused = tell } }

// Log is where it is said when deliveries begin to fail, and work again. Nowhere if
// not said.
func Log(log *zap.Logger) Option { return func(o *options) { o.log = log } }

// Open opens the outbox in a folder, which is made if it is not there, and begins to
// deliver what lies in it. Only one client can have a folder open: of one process
// beside another, the second is told `outbox_locked`.
//
// Other errors: `outbox_damaged` if the disk has lost something that was acknowledged,
// `outbox_failed` if it does not do what it should; both fault.Unavailable. What a
// crash left half-written is no error: nobody was told that it is kept.
func Open(dir string, transport Transport, change ...Option) (*Client, error) {
	o := options{
		limit: 64 << 20, first: 200 * time.Millisecond, longest: 30 * time.Second,
		onRefused: func(Refusal) {}, log: zap.NewNop(),
	}
	for _, f := range change {
		f(&o)
	}
	if o.limit <= 0 || o.first <= 0 || o.longest < o.first {
		return nil, fault.Invalid.Errorf("an outbox of %d bytes that waits %v to %v", o.limit, o.first, o.longest)
	}
	box, err := outbox.Open(dir, o.limit)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	c := &Client{
		options: o, box: box, transport: transport,
		wake: make(chan struct{}, 1), stop: stop, ended: make(chan struct{}), moved: make(chan struct{}),
	}
	c.close = sync.OnceValue(c.end)
	go func() {
		defer close(c.ended)
		c.deliverAll(ctx)
	}()
	return c, nil
}

// Pending is how many events wait to be delivered.
func (c *Client) Pending() int { return c.box.Pending() }

// Err is why nothing can be delivered at the moment, nil if nothing is known to be
// wrong: `publish_unavailable`, `unauthenticated` and the like. Delivery goes on
// trying, whatever it is.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trouble
}

// Flush waits until every event that was published before is delivered or set aside.
// The error is fault.Unavailable if ctx ends first, and says what is in the way; the
// events stay where they are.
func (c *Client) Flush(ctx context.Context) error {
	target, _ := c.box.Positions()
	for {
		c.mu.Lock()
		moved := c.moved
		c.mu.Unlock()
		if _, delivered := c.box.Positions(); delivered >= target {
			return nil
		}
		select {
		case <-moved:
		case <-c.ended:
			return fault.Unavailable.With("outbox_closed", "", "%d events wait in an outbox that was closed", c.Pending())
		case <-ctx.Done():
			if err := c.Err(); err != nil {
				return fault.Unavailable.Errorf("%d events still wait (%w): %w", c.Pending(), ctx.Err(), err)
			}
			return fault.Unavailable.Errorf("%d events still wait: %w", c.Pending(), ctx.Err())
		}
	}
}

// Close ends delivery at once, also in the middle of a request, and lets go of the
// folder: Flush first where there is time. What waits is delivered when the folder is
// opened again.
func (c *Client) Close() error { return c.close() }

func (c *Client) end() error {
	c.stop()
	<-c.ended
	if closer, ok := c.transport.(io.Closer); ok {
		_ = closer.Close() // nothing is under way any more
	}
	return c.box.Close()
}
