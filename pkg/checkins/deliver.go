package checkins

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"time"

	"coworking/pkg/checkins/internal/outbox"
	"coworking/pkg/fault"

	"go.uber.org/zap"
)

// Transport brings events to the other side.
type Transport interface {
	// Send brings events, each in structured JSON mode, in their order, and says of
	// each what became of it: nil, it is stored; fault.Invalid, it will never be taken;
	// anything else, it has to be sent again, not sooner than after wait (0 if nobody
	// said).
	Send(ctx context.Context, events [][]byte) (results []error, wait time.Duration)
}

// What is sent at once: what the door takes in one request, less the commas.
const (
	maxBatch = 1000
	maxBytes = 1<<20 - 4<<10
)

// longestWait is the most that the other side can ask for.
const longestWait = 10 * time.Minute

// deliverAll delivers until the client is closed: as much at once as the line carries
// in time.
func (c *Client) deliverAll(ctx context.Context) {
	pace := pace{first: c.first, longest: c.longest}
	most := maxBatch
	for ctx.Err() == nil {
		batch, err := c.box.Read(most, maxBytes)
		switch {
		case err != nil:
			c.say(err)
			pause(ctx, pace.next(0))
		case len(batch) == 0:
			select {
			case <-c.wake:
			case <-ctx.Done():
			}
		case c.deliver(ctx, batch, &pace):
			most = min(most+most/10+1, maxBatch) // a little more: too much costs a whole request
		default:
			most = max(1, len(batch)/2)
		}
	}
}

// deliver sends a batch until each event of it is stored or set aside; false if that
// takes longer than a request may, and fewer at a time may get through. What the other
// side took is not sent again, whatever came before it.
func (c *Client) deliver(ctx context.Context, batch []outbox.Event, pace *pace) bool {
	finished := make([]bool, len(batch))
	for len(batch) > 0 {
		wait, err := c.attempt(ctx, batch, finished)
		done := 0
		for done < len(batch) && finished[done] {
			done++
		}
		if noted := c.box.Done(batch[:done]); noted != nil && err == nil {
			err = noted
		}
		batch, finished = batch[done:], finished[done:]
		if done > 0 {
			pace.reset()
			c.move()
		}
		if ctx.Err() != nil {
			return false
		}
		c.say(err)
		if err != nil {
			pause(ctx, pace.next(wait))
		}
		if tooSlow(err) {
			return false
		}
	}
	return true
}

// tooSlow says whether a request ended before it was done, as many events do on a thin
// line: by the door's clock or by one on this side.
func tooSlow(err error) bool {
	ended, is := errors.AsType[net.Error](err)
	return is && ended.Timeout() || fault.Code(err) == "too_slow"
}

// attempt sends, once, what of a batch is not finished. The error is the first that
// stands in the way.
func (c *Client) attempt(ctx context.Context, batch []outbox.Event, finished []bool) (time.Duration, error) {
	var bodies [][]byte
	var of []int
	for i, e := range batch {
		if !finished[i] {
			bodies, of = append(bodies, e.Body), append(of, i)
		}
	}
	results, wait := c.transport.Send(ctx, bodies)
	if len(results) != len(bodies) {
		return wait, fault.Internal.Errorf("a transport that speaks of %d events, of %d", len(results), len(bodies))
	}
	var first error
	for n, err := range results {
		if fault.Of(err) == fault.Invalid {
			err = c.refuse(bodies[n], err)
		}
		finished[of[n]] = err == nil
		if err != nil && first == nil {
			first = err
		}
	}
	return wait, first
}

// move tells those who wait in Flush.
func (c *Client) move() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.moved)
	c.moved = make(chan struct{})
}

// say keeps what is in the way, nil if nothing is, and logs when that changes.
func (c *Client) say(err error) {
	c.mu.Lock()
	before := c.trouble
	c.trouble = err
	c.mu.Unlock()
	switch {
	case err != nil && (before == nil || fault.Code(before) != fault.Code(err)):
		c.log.Warn("events cannot be delivered; they are kept", zap.Int("pending", c.Pending()), zap.String("code", fault.Code(err)), zap.Error(err))
	case err == nil && before != nil:
		c.log.Info("events are delivered again", zap.Int("pending", c.Pending()))
	}
}

// pace is how long to wait after each failure.
type pace struct {
	first, longest time.Duration
	last           time.Duration
}

func (p *pace) reset() { p.last = 0 }

// next is the next wait: not less than what the other side asked for.
func (p *pace) next(asked time.Duration) time.Duration {
	p.last = min(max(2*p.last, p.first), p.longest)
	wait := p.last/2 + rand.N(p.last/2+1)
	return max(wait, min(asked, longestWait))
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
