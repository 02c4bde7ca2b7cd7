package consume_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/pg"
	"coworking/pkg/pgtest"
	"coworking/pkg/stream"
	"coworking/pkg/streamtest"
	"coworking/services/ingest/internal/consume"
	"coworking/services/ingest/internal/store"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
)

// road is a broker, a database, and what the worker was seen to do.
type road struct {
	*testing.T
	stream *streamtest.Stream
	pool   *pgxpool.Pool
	store  *store.Store
	seen   *seen
}

func newRoad(t *testing.T) *road {
	t.Helper()
	s := streamtest.New(t)
	pool, err := pg.Open(t.Context(), pg.URL(pgtest.URL(t)), pg.Options{Name: "test", MaxConns: 8, Writer: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	kept, err := store.New(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	return &road{T: t, stream: s, pool: pool, store: kept, seen: &seen{changed: make(chan struct{}, 1)}}
}

// seen is an observer that a test can wait for.
type seen struct {
	mu          sync.Mutex
	total       store.Result
	redelivered int
	connected   error
	changed     chan struct{}
}

func (s *seen) note(fn func()) {
	s.mu.Lock()
	fn()
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *seen) Written(r store.Result, _, redelivered int, _ time.Duration) {
	s.note(func() {
		s.total.Stored += r.Stored
		s.total.Duplicates += r.Duplicates
		s.total.Buried += r.Buried
		s.redelivered += redelivered
	})
}
func (s *seen) Connected(err error)          { s.note(func() { s.connected = err }) }
func (s *seen) Stored(error)                 {}
func (s *seen) Lag(_, _ uint64, _ time.Time) {}
func (s *seen) result() (store.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total, s.connected
}

// until waits for something that the observer sees.
func (r *road) until(what string, reached func(store.Result, error) bool) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
	defer cancel()
	for {
		total, connected := r.seen.result()
		if reached(total, connected) {
			return
		}
		select {
		case <-r.seen.changed:
		case <-ctx.Done():
			r.Fatalf("waiting until %s: %+v, connected: %v", what, total, connected)
		}
	}
}

// start runs a worker; the function that it returns asks it to stop and waits.
func (r *road) start(kept consume.Store) (stop func() error) {
	cancel, wait := r.run(kept)
	return func() error { cancel(); return wait() }
}

// run runs a worker; it ends when it is told to, or by itself.
func (r *road) run(kept consume.Store) (cancel func(), wait func() error) {
	return r.runWith(kept, func(*consume.Source) {})
}

// runWith changes what the worker is bound to.
func (r *road) runWith(kept consume.Store, change func(*consume.Source)) (cancel func(), wait func() error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	worker := consume.New(consume.Config{
		BatchSize: 200, WriteTimeout: 10 * time.Second, Store: kept, Observe: r.seen, Log: zap.NewNop(),
		Bind: func(ctx context.Context) (consume.Source, error) {
			bound, err := stream.Bind(ctx, r.stream.JS, streamtest.Config, 0)
			if err != nil {
				return consume.Source{}, err
			}
			source := consume.Source{
				Consumer: bound, Created: bound.Created, AckWait: bound.CachedInfo().Config.AckWait, Received: bound.Received, Release: bound.Release,
			}
			change(&source)
			return source, nil
		},
	})
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx) }()
	wait = sync.OnceValue(func() error { return <-ended })
	r.Cleanup(func() {
		cancel()
		_ = wait() // the test has asked before, if it wanted to know
	})
	return cancel, wait
}

func (r *road) publish(from, to int, more ...stream.Message) {
	r.Helper()
	var messages []stream.Message
	for i := from; i < to; i++ {
		e := event.Event{
			ID: fmt.Sprint(i), Source: "door", Kind: event.CheckIn, Space: "berlin", Member: fmt.Sprint("m", i%50),
			Time: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Second),
		}
		messages = append(messages, stream.Message{Subject: e.Subject(), Body: e.Encode(nil)})
	}
	messages = append(messages, more...)
	if err := stream.NewPublisher(r.stream.JS, stream.Patience{Outage: 10 * time.Second}).PublishBatch(r.Context(), messages, nil).Err(); err != nil {
		r.Fatal(err)
	}
}

func (r *road) number(sql string) (n int) {
	r.Helper()
	if err := r.pool.QueryRow(r.Context(), sql).Scan(&n); err != nil {
		r.Fatal(err)
	}
	return n
}

// unanswered is how many messages the durable still waits for.
func (r *road) unanswered() int {
	r.Helper()
	bound, err := stream.Bind(r.Context(), r.stream.JS, streamtest.Config, 0)
	if err != nil {
		r.Fatal(err)
	}
	info, err := bound.Info(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	return int(info.NumPending) + info.NumAckPending
}

func TestOnePoisonMessageAmongFiveHundred(t *testing.T) {
	r := newRoad(t)
	r.publish(0, 499, stream.Message{Subject: "checkins.v1.berlin.checkin", Body: []byte(`{"id":1,"broken`)})
	stop := r.start(r.store)
	r.until("all are settled", func(total store.Result, _ error) bool { return total.Stored+total.Buried == 500 })
	if err := stop(); err != nil {
		t.Error(err)
	}
	if n := r.number("select sum(checkins)::int from space_day"); n != 499 {
		t.Errorf("%d check-ins counted, not 499", n)
	}
	if n := r.number(`select count(*) from dead_letters where code = 'invalid_json' and body = '{"id":1,"broken'`); n != 1 {
		t.Errorf("%d dead letters with the bytes and the reason, not 1", n)
	}
}

func TestAStopUnderLoadLeavesNothingUnanswered(t *testing.T) {
	r := newRoad(t)
	publishing, cancel := context.WithCancel(t.Context())
	published := make(chan int, 1)
	go func() {
		n := 0
		for ; publishing.Err() == nil; n += 100 {
			r.publish(n, n+100)
		}
		published <- n
	}()
	stop := r.start(r.store)
	r.until("some are stored", func(total store.Result, _ error) bool { return total.Stored > 500 })
	if err := stop(); err != nil {
		t.Error(err)
	}
	cancel()
	all := <-published
	stop = r.start(r.store)
	r.until("all are stored", func(total store.Result, _ error) bool { return total.Stored == all })
	if err := stop(); err != nil {
		t.Error(err)
	}
	if r.seen.redelivered > 0 || r.seen.total.Duplicates > 0 {
		t.Errorf("%d messages came twice after a clean stop", r.seen.redelivered)
	}
	if n := r.unanswered(); n > 0 {
		t.Errorf("%d messages are unanswered", n)
	}
}

// counting is a store that counts what came through it.
type counting struct {
	*store.Store
	messages atomic.Int64
}

func (c *counting) Write(ctx context.Context, batch []store.Incoming) (store.Result, error) {
	c.messages.Add(int64(len(batch)))
	return c.Store.Write(ctx, batch)
}

// Of two workers of a partition one writes, and the other as soon as that one stops, or
// a little after it died.
func TestAPartitionHasOneWriter(t *testing.T) {
	for name, dies := range map[string]bool{"the writer stops": false, "the writer dies": true} {
		t.Run(name, func(t *testing.T) {
			r := newRoad(t)
			stores := [2]*counting{{Store: r.store}, {Store: r.store}}
			var stops [2]func() error
			for i, kept := range stores {
				cancel, wait := r.runWith(kept, func(source *consume.Source) {
					if dies {
						source.Release = func(context.Context, string) error { return nil }
					}
				})
				stops[i] = func() error { cancel(); return wait() }
			}
			for n := range 5 {
				r.publish(100*n, 100*n+100)
				r.until("these are stored", func(total store.Result, _ error) bool { return total.Stored == 100*n+100 })
			}
			writer, other := 0, 1
			if stores[0].messages.Load() == 0 {
				writer, other = 1, 0
			}
			if w, o := stores[writer].messages.Load(), stores[other].messages.Load(); w != 500 || o != 0 {
				t.Errorf("one worker wrote %d messages and the other %d", w, o)
			}
			before := r.pinned()
			if err := stops[writer](); err != nil {
				t.Error(err)
			}
			if !dies && r.pinned() == before {
				t.Error("the worker that stopped is still the one that gets the messages")
			}
			r.publish(500, 600)
			r.until("the other writes", func(total store.Result, _ error) bool { return total.Stored == 600 })
			if n := stores[other].messages.Load(); n != 100 {
				t.Errorf("the other wrote %d messages", n)
			}
			if err := stops[other](); err != nil {
				t.Error(err)
			}
		})
	}
}

// pinned is what the stream calls the worker that gets the messages, "" for nobody.
func (r *road) pinned() string {
	r.Helper()
	bound, err := stream.Bind(r.Context(), r.stream.JS, streamtest.Config, 0)
	if err != nil {
		r.Fatal(err)
	}
	groups := bound.CachedInfo().PriorityGroups
	if len(groups) == 0 {
		return ""
	}
	return groups[0].PinnedClientID
}

// failing is a store whose first writes fail as it is told.
type failing struct {
	*store.Store
	mu   sync.Mutex
	errs []error
}

func (f *failing) Write(ctx context.Context, batch []store.Incoming) (store.Result, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		if err != nil {
			return store.Result{}, err
		}
	}
	return f.Store.Write(ctx, batch)
}

func TestADatabaseThatIsAwayForAMomentLosesNothing(t *testing.T) {
	r := newRoad(t)
	r.publish(0, 300)
	stop := r.start(&failing{Store: r.store, errs: []error{fault.Unavailable.Errorf("away"), fault.Unavailable.Errorf("away")}})
	r.until("all are stored", func(total store.Result, _ error) bool { return total.Stored == 300 })
	if err := stop(); err != nil {
		t.Error(err)
	}
	if r.seen.redelivered > 0 {
		t.Errorf("%d messages were handed out twice", r.seen.redelivered)
	}
}

func TestABadDeployStopsAndBuriesNothing(t *testing.T) {
	r := newRoad(t)
	r.publish(0, 100)
	bug := errors.New("our bug")
	_, wait := r.run(&failing{Store: r.store, errs: []error{fault.Internal.Errorf("write: %w", bug)}})
	if err := wait(); !errors.Is(err, bug) {
		t.Errorf("the worker ended with %v", err)
	}
	if n := r.number("select count(*) from dead_letters"); n > 0 {
		t.Errorf("%d good events were buried", n)
	}
	if n := r.unanswered(); n != 100 {
		t.Errorf("%d of 100 messages are still in the stream", n)
	}
}

func TestADeletedDurableIsLookedForAgain(t *testing.T) {
	r := newRoad(t)
	r.publish(0, 100)
	stop := r.start(r.store)
	r.until("all are stored", func(total store.Result, _ error) bool { return total.Stored == 100 })
	if err := r.stream.JS.DeleteConsumer(t.Context(), stream.Name, stream.Durable(0)); err != nil {
		t.Fatal(err)
	}
	r.until("it is missed", func(_ store.Result, connected error) bool { return connected != nil })
	r.publish(100, 200)
	r.stream.Setup(streamtest.Config)
	r.until("the rest is stored, and the first part known", func(total store.Result, _ error) bool {
		return total.Stored == 200 && total.Duplicates == 100
	})
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestABrokerThatIsStartedAgainIsFoundAgain(t *testing.T) {
	r := newRoad(t)
	r.publish(0, 100)
	stop := r.start(r.store)
	r.until("all are stored", func(total store.Result, _ error) bool { return total.Stored == 100 })
	r.stream.Stop()
	r.until("it is missed", func(_ store.Result, connected error) bool { return connected != nil })
	r.stream.Restart()
	r.publish(100, 200)
	r.until("the rest is stored", func(total store.Result, _ error) bool { return total.Stored == 200 })
	if err := stop(); err != nil {
		t.Error(err)
	}
}
