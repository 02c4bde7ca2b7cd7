package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/stream"

	"github.com/nats-io/nats.go/jetstream"
)

// ahead is how many events a live publisher lets wait in the stream at most: enough
// for full batches, too few to be drained at the end.
const ahead = 20_000

// progress is how far a contestant is, as the broker knows: all of them acknowledge
// after their commit, so it is the one clock for all.
type progress struct {
	consumers []jetstream.Consumer
	before    uint64        // deliveries before it began
	answered  atomic.Uint64 // since it began
}

// standing is the sum over a contestant's durables.
type standing struct{ delivered, unanswered uint64 }

func (g *ground) follow(ctx context.Context, consumers []string) (*progress, error) {
	p := &progress{}
	for _, name := range consumers {
		consumer, err := g.js.Consumer(ctx, stream.Name, name)
		if err != nil {
			return nil, err
		}
		p.consumers = append(p.consumers, consumer)
	}
	now, err := p.ask(ctx)
	p.before = now.delivered
	return p, err
}

func (p *progress) ask(ctx context.Context) (sum standing, err error) {
	for _, consumer := range p.consumers {
		info, err := consumer.Info(ctx)
		if err != nil {
			return standing{}, err
		}
		sum.delivered += info.Delivered.Consumer
		sum.unanswered += info.NumPending + uint64(info.NumAckPending)
	}
	return sum, nil
}

// drained waits until everything was published and acknowledged, and returns how
// long that took from the first delivery.
func (p *progress) drained(ctx context.Context, published, exited <-chan error) (time.Duration, error) {
	var began time.Time
	done := false
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case err := <-exited:
			return 0, fmt.Errorf("it ended before all was stored: %w", err)
		case err := <-published:
			if err != nil {
				return 0, err
			}
			done, published = true, nil
			continue // what was counted as waiting may not have been all
		case <-tick.C:
		}
		now, err := p.ask(ctx)
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			continue // the broker has little of the machine
		}
		if err != nil {
			return 0, err
		}
		if began.IsZero() && now.delivered > p.before {
			began = time.Now()
		}
		p.answered.Store(now.delivered - p.before)
		if !began.IsZero() && done && now.unanswered == 0 {
			return time.Since(began), nil
		}
	}
}

// pieces is events that come, one piece after another; nil is none.
type pieces = iter.Seq2[[]event.Event, error]

// whole is events in one piece.
func whole(events []event.Event) pieces {
	return func(yield func([]event.Event, error) bool) { yield(events, nil) }
}

// keepAhead publishes events as fast as the contestant stores them: there is always
// something for it to do, and never all.
func (g *ground) keepAhead(ctx context.Context, coming pieces, p *progress) error {
	if coming == nil {
		return nil
	}
	const chunk = 2000
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	published := 0
	for events, err := range coming {
		if err != nil {
			return err
		}
		for next := range slices.Chunk(events, chunk) {
			for published > int(p.answered.Load())+ahead {
				select {
				case <-tick.C:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			if _, err := g.publish(ctx, next); err != nil {
				return err
			}
			published += len(next)
		}
	}
	return nil
}
