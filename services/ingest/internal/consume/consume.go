// Package consume is the worker: it fetches messages from the stream, hands them
// to the store in batches, and acknowledges what the store has kept.
package consume

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"coworking/pkg/fault"
	"coworking/services/ingest/internal/store"

	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
)

// Store keeps batches; writing one twice must change nothing.
type Store interface {
	Write(ctx context.Context, batch []store.Incoming) (store.Result, error)
	Watermark(ctx context.Context, partition int, completeThrough time.Time) error
}

// Consumer is the part of jetstream.Consumer that the worker asks.
type Consumer interface {
	Fetch(batch int, opts ...jetstream.FetchOpt) (jetstream.MessageBatch, error)
	Info(ctx context.Context) (*jetstream.ConsumerInfo, error)
}

// Source is a partition's durable, bound.
type Source struct {
	Consumer Consumer
	Created  time.Time     // of its stream: sequences start anew in a new one
	AckWait  time.Duration // how long a message may be held without a word
	// Received is when the stream stored the message of a sequence;
	// fault.NotFound if that is gone.
	Received func(ctx context.Context, sequence uint64) (time.Time, error)
	// Release lets another worker have the messages that this one, by the name that
	// the stream gave it, will not ask for.
	Release func(ctx context.Context, pin string) error
}

// Config is how the worker works; Bind finds the durable, and never makes one.
type Config struct {
	Partition    int
	BatchSize    int           // the most messages in one transaction
	WriteTimeout time.Duration // for one transaction; the durable's ack wait is at least four times as long
	Bind         func(ctx context.Context) (Source, error)
	Store        Store
	Observe      Observer
	Trace        trace.TracerProvider // nil: nothing is traced
	Log          *zap.Logger
}

// Observer is told what happens, for metrics and readiness.
type Observer interface {
	Written(result store.Result, messages, redelivered int, took time.Duration)
	Connected(err error) // to the stream: nil when messages can be fetched
	Stored(err error)    // nil when the database takes batches
	// Lag is what waits, and up to when all is in the numbers; the zero time says
	// that nobody knows.
	Lag(pending, unacknowledged uint64, completeThrough time.Time)
}

// heldTick is how often to look for messages that are held long.
const heldTick = time.Second

// Worker moves messages of one partition into the store: one goroutine receives,
// one writes.
type Worker struct {
	Config
	inbox  *inbox
	source atomic.Pointer[Source] // the one that was bound last
	pin    string                 // what the stream calls this worker; only who receives knows
}

// New is a worker that has not begun.
func New(c Config) *Worker {
	return &Worker{Config: c, inbox: newInbox(c.BatchSize)}
}

// Run works until the context ends, and then settles what it holds: it stops
// asking at once, and finishes the batch in hand. It returns an error only if the
// deploy is at fault (fault.Internal): then nothing was buried, and everything is
// still in the stream.
func (w *Worker) Run(ctx context.Context) error {
	received := make(chan struct{})
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(received)
		return w.receive(ctx)
	})
	group.Go(func() error { return w.write(ctx, received) })
	group.Go(func() error { return w.keepHeld(received) })
	group.Go(func() error { return w.watch(ctx) })
	err := group.Wait()
	w.release(ctx)
	return err
}

// release lets another worker begin, once this one has written all that it will.
func (w *Worker) release(ctx context.Context) {
	source := w.source.Load()
	if source == nil || w.pin == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := source.Release(ctx, w.pin); err != nil {
		w.Log.Debug("another worker begins a little later", zap.Error(err))
	}
}

// write stores and settles batch after batch: whatever came while the last one was
// written. There is no timer to wait for: batches are small when it is quiet and
// large under load.
func (w *Worker) write(ctx context.Context, received <-chan struct{}) error {
	for {
		batch := w.inbox.take()
		if len(batch.held) == 0 {
			select {
			case <-w.inbox.filled:
				continue
			case <-received:
			}
			if batch = w.inbox.take(); len(batch.held) == 0 {
				return nil
			}
		}
		if err := w.settle(ctx, batch); err != nil {
			return err
		}
	}
}

// settle stores a batch and acknowledges it. While the database is away it holds
// the batch and probes once a second; when asked to stop meanwhile it lets go, and
// the stream hands the messages out again.
func (w *Worker) settle(ctx context.Context, batch batch) error {
	for {
		// Asking stops, finishing does not: the write has a lifetime of its own.
		writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.WriteTimeout)
		began := time.Now()
		writing, end := w.begin(writing, batch.incoming)
		result, err := w.Store.Write(writing, batch.incoming)
		end(result, err)
		cancel()
		w.Observe.Stored(err)
		if err == nil {
			w.Observe.Written(result, len(batch.held), batch.redelivered(), time.Since(began))
			w.acknowledge(batch)
			return nil
		}
		if fault.Of(err) != fault.Unavailable {
			return err
		}
		w.Log.Warn("the database does not take batches; holding", zap.Int("messages", len(batch.held)), zap.Error(err))
		select {
		case <-ctx.Done():
			w.inbox.release()
			return nil
		case <-time.After(time.Second):
		}
	}
}

// acknowledge answers for every message on its own, after the commit: an answer
// for a range would cover what another worker, or one that died, never committed.
// The client sends them all in one flush.
func (w *Worker) acknowledge(batch batch) {
	for i, h := range batch.held {
		if err := h.message.Ack(); err != nil && !errors.Is(err, jetstream.ErrMsgAlreadyAckd) {
			// Not lost: it comes again, and is known then.
			w.Log.Warn("an acknowledgement could not be sent", zap.Uint64("sequence", batch.incoming[i].Sequence), zap.Error(err))
			break
		}
	}
	w.inbox.release()
}

// keepHeld tells the stream of what is still being worked on, so that it is not
// handed to somebody else while the database is away.
func (w *Worker) keepHeld(received <-chan struct{}) error {
	tick := time.NewTicker(heldTick)
	defer tick.Stop()
	for {
		select {
		case <-received:
			return nil
		case <-tick.C:
			source := w.source.Load()
			if source == nil {
				continue
			}
			for _, message := range w.inbox.stale(time.Now(), source.AckWait/4) {
				if err := message.InProgress(); err != nil {
					w.Log.Debug("in progress", zap.Error(err))
				}
			}
		}
	}
}

// inbox is what was received and not settled yet. The receiver asks for more only
// while there is room for a whole batch. One goroutine puts, one takes and releases.
type inbox struct {
	mu      sync.Mutex
	limit   int
	waiting batch
	written batch         // handed to the writer
	spare   batch         // empty: the room of the batch before, for the one after
	filled  chan struct{} // a message came
	emptied chan struct{} // there is room again
}

// batch is messages and what the store takes of them, side by side.
type batch struct {
	held     []held
	incoming []store.Incoming
}

// held is a message between its receipt and its answer.
type held struct {
	message     jetstream.Msg
	redelivered bool
	mentioned   time.Time // when the stream last heard of it: its receipt, or that it is worked on
}

func (b batch) redelivered() (n int) {
	for i := range b.held {
		if b.held[i].redelivered {
			n++
		}
	}
	return n
}

func newInbox(limit int) *inbox {
	return &inbox{limit: limit, filled: make(chan struct{}, 1), emptied: make(chan struct{}, 1)}
}

func (b *inbox) put(h held, in store.Incoming) {
	b.mu.Lock()
	b.waiting.held = append(b.waiting.held, h)
	b.waiting.incoming = append(b.waiting.incoming, in)
	b.mu.Unlock()
	signal(b.filled)
}

// take hands the writer all that waits, which is a batch at most: the receiver asks
// for no more. The writer releases it before it takes again.
func (b *inbox) take() batch {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting.held) == 0 {
		return batch{}
	}
	b.written, b.waiting, b.spare = b.waiting, b.spare, batch{}
	signal(b.emptied)
	return b.written
}

// release forgets the batch that was settled; its room is used again.
func (b *inbox) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.written.held) // so that the messages can go
	clear(b.written.incoming)
	b.spare = batch{b.written.held[:0], b.written.incoming[:0]}
	b.written = batch{}
}

// room is how many more messages the receiver may ask for.
func (b *inbox) room() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limit - len(b.waiting.held)
}

// stale is the messages without an answer that the stream last heard of too long
// ago; they count as mentioned now.
func (b *inbox) stale(now time.Time, after time.Duration) []jetstream.Msg {
	b.mu.Lock()
	defer b.mu.Unlock()
	var messages []jetstream.Msg
	for _, all := range [...][]held{b.waiting.held, b.written.held} {
		for i := range all {
			if h := &all[i]; now.Sub(h.mentioned) >= after {
				messages = append(messages, h.message)
				h.mentioned = now
			}
		}
	}
	return messages
}

// signal says that something changed, unless that was said already.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
