package store_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/pg"
	"coworking/services/ingest/internal/store"

	"github.com/google/go-cmp/cmp"
)

// batch is n check-ins of different people.
func (w *world) batch(n int) []store.Incoming {
	batch := make([]store.Incoming, n)
	for i := range batch {
		batch[i] = w.incoming(tell(fmt.Sprint("x", i), event.CheckIn, "09:00", fmt.Sprint("member-", i%50)))
	}
	return batch
}

// Postgres refuses what no rule of ours foresaw: the rest of the batch is stored.
func TestTheOneEventThatPostgresRefusesIsBuried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.pool.Exec(t.Context(), "alter table events add constraint foreseen check (id <> 'x321')"); err != nil {
		t.Fatal(err)
	}
	batch := w.batch(500)
	for _, want := range []store.Result{{Stored: 499, Buried: 1}, {Duplicates: 499, Buried: 1}} {
		result, err := w.store.Write(t.Context(), batch)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, result); diff != "" {
			t.Error(diff)
		}
	}
	w.want("select string_agg(code || ' ' || seq, ',') from dead_letters", "unstorable 322")
	w.want("select checkins from space_day", "499")
	w.same()
}

// A row that stands in the way of a rollup is our fault, not the event's.
func TestARollupThatStandsInTheWayBuriesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(tell("1", event.CheckIn, "09:00", "ada"))
	w.change("delete from space_day")
	_, err := w.store.Write(t.Context(), []store.Incoming{w.incoming(tell("2", event.CheckOut, "10:00", "ada"))})
	if fault.Of(err) != fault.Internal {
		t.Errorf("the error is %s: %v", fault.Of(err), err)
	}
	w.want("select count(*) from dead_letters", "0")
}

// Two anonymous events whose numbers are the same take some four thousand million
// tries to find. Whoever finds them loses one, and nobody else waits.
func TestAnonymousVisitsOfTheSameNumberStopNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(tell("1", event.CheckIn, "09:00", ""))
	next := tell("2", event.CheckIn, "10:00", "")
	key := next.Key()
	w.change(fmt.Sprintf("update more_visits set n = (('x' || '%x')::bit(64)::int8 >> 1) & x'7fffffffffffffff'::int8", key[8:]))
	w.want("select count(*) from more_visits where n > 0", "1")
	if diff := cmp.Diff(store.Result{Stored: 1, Buried: 1}, w.write(next, tell("3", event.CheckIn, "10:00", ""))); diff != "" {
		t.Error(diff)
	}
	w.want("select code from dead_letters", "unstorable")
}

func TestAMissingTableBuriesNothing(t *testing.T) {
	t.Parallel()
	db := newArena(t)
	for _, table := range []string{"tokens", "member_day", "events", "space_day", "names", "spaces"} {
		t.Run(table, func(t *testing.T) {
			w := db.world(t)
			batch := append(w.batch(20), w.incoming(token("t", event.TokenIssued, "09:00", "ada")))
			if _, err := w.pool.Exec(t.Context(), "alter table "+table+" rename to gone"); err != nil {
				t.Fatal(err)
			}
			_, err := w.store.Write(t.Context(), batch)
			if fault.Of(err) != fault.Internal {
				t.Errorf("the error is %s: %v", fault.Of(err), err)
			}
			w.want("select count(*) from dead_letters", "0")
			if _, err := w.pool.Exec(t.Context(), "alter table gone rename to "+table); err != nil {
				t.Fatal(err)
			}
			result, err := w.store.Write(t.Context(), batch)
			if diff := cmp.Diff(store.Result{Stored: 21}, result); diff != "" || err != nil {
				t.Errorf("written again: %v\n%s", err, diff)
			}
			w.same()
		})
	}
}

// What goes wrong between two writers is tried again at once, and nobody hears of it.
func TestWhatPassesIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"40001", "40P01", "55P03"} {
		t.Run(state, func(t *testing.T) {
			w := newWorld(t)
			if _, err := w.pool.Exec(t.Context(), `create sequence tries;
				create function stumble() returns trigger language plpgsql as $$ begin
				  if nextval('tries') <= 3 then raise exception 'in the way' using errcode = '`+state+`'; end if; -- sequences do not roll back
				  return new;
				end $$;
				create trigger stumble before update on space_day for each statement execute function stumble()`); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(store.Result{Stored: 1}, w.write(tell("1", event.CheckIn, "09:00", "ada"))); diff != "" {
				t.Error(diff)
			}
			w.want("select last_value from tries", "4")
			w.want("select checkins from space_day", "1")
		})
	}
}

// A real deadlock: somebody holds rows in the reverse order.
func TestADeadlockIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	york := tell("0", event.CheckIn, "09:00", "ada")
	york.Space = "york"
	w.write(tell("1", event.CheckIn, "09:00", "ada"), york)
	tx, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lock := "select from space_day d join spaces s on s.id = d.space where s.space = $1 for update of d"
	if _, err := tx.Exec(t.Context(), "set local deadlock_timeout = '1h'"); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), lock, "york"); err != nil {
		t.Fatal(err)
	}
	york.ID = "2"
	batch := []store.Incoming{w.incoming(tell("3", event.CheckIn, "10:00", "bob")), w.incoming(york)}
	written := make(chan error, 1)
	go func() {
		_, err := w.store.Write(t.Context(), batch)
		written <- err
	}()
	for w.text("select count(*) from pg_locks join pg_stat_activity a using (pid) where not granted and a.datname = current_database()") == "0" { // until the writer holds Berlin and waits for York
		select {
		case err := <-written:
			t.Fatal(err)
		case <-time.After(time.Millisecond):
		}
	}
	if _, err := tx.Exec(t.Context(), lock, "berlin"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	w.want("select sum(checkins) from space_day", "4")
	w.same()
}

// The answer to a COMMIT can be lost: nobody knows then whether it happened.
func TestALostAnswerToACommitIsUnavailableAndWritingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	proxy := newProxy(t, w.pool.Config().ConnConfig.Host, w.pool.Config().ConnConfig.Port)
	pool, err := pg.Open(t.Context(), pg.URL(proxy.through(t, w.pool.Config().ConnString())), pg.Options{Name: "worker", Writer: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s, err := store.New(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	batch := w.batch(100)
	proxy.cut.Store(true)
	_, err = s.Write(t.Context(), batch)
	if fault.Of(err) != fault.Unavailable {
		t.Fatalf("the error is %s: %v", fault.Of(err), err)
	}
	w.want("select count(*) from events", "100") // it did happen
	proxy.cut.Store(false)
	result, err := s.Write(t.Context(), batch)
	if diff := cmp.Diff(store.Result{Duplicates: 100}, result); diff != "" || err != nil {
		t.Errorf("written again: %v\n%s", err, diff)
	}
	w.want("select checkins from space_day", "100")
	w.same()
}

func TestAWriteThatIsNotWaitedForIsUnavailable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.store.Write(ctx, w.batch(3)); fault.Of(err) != fault.Unavailable {
		t.Errorf("the error is %s: %v", fault.Of(err), err)
	}
	w.want("select count(*) from events", "0")
}

// proxy stands between a pool and Postgres. While cut is set it drops the connection
// instead of passing on that something was committed.
type proxy struct {
	listener net.Listener
	target   string
	cut      atomic.Bool
	running  sync.WaitGroup
}

func newProxy(t *testing.T, host string, port uint16) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, target: net.JoinHostPort(host, fmt.Sprint(port))}
	p.running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			p.running.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		p.running.Wait()
	})
	return p
}

// through is an address of the database by way of the proxy.
func (p *proxy) through(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = p.listener.Addr().String()
	return u.String()
}

// committed is how Postgres says that it has (its documentation, "Message Formats":
// CommandComplete).
var committed = []byte("C\x00\x00\x00\x0bCOMMIT\x00")

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	p.running.Go(func() {
		defer client.Close()
		buffer := make([]byte, 1<<16)
		for {
			n, err := server.Read(buffer)
			if err != nil || p.cut.Load() && bytes.Contains(buffer[:n], committed) {
				return
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	})
	_, _ = io.Copy(server, client)
}
