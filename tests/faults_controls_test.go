package tests

import (
	"cmp"
	"os"
	"strings"
	"testing"

	"coworking/pkg/stream"
)

// A check that cannot fail proves nothing. Here the system is made to break its
// promises, one way after the other, and the checks of the kill loop must say which
// promises are broken: no more and no fewer. Beside each harm stands the same
// without it, which they must find nothing wrong with; and after each harm all is
// mended by the operator's own means.
func TestTheChecksFindWhatIsWrong(t *testing.T) {
	// An event that is lost is not counted either; but the rollups still are what the
	// events amount to that are left.
	const lost = countedOnce + nothingLost + allAccounted

	t.Parallel()
	s := open(t)
	s.acknowledgeUnsynced()
	for _, step := range []struct {
		name   string
		does   func(*site)
		broken string
	}{
		{"a worker writes, then acknowledges, and is killed between", (*site).killCarefulWorker, ""},
		{"a worker acknowledges, then writes, and is killed between", (*site).killHastyWorker, lost},
		{"everything is delivered once more", (*site).replay, ""},

		{"Postgres crashes, and syncs no commit unless it is asked to", (*site).crash, ""},
		{"Postgres crashes, and nobody asks it to sync commits", (*site).crashSabotaged, lost},
		{"everything is delivered once more", (*site).replay, ""},

		{"a batch that came again is counted again", (*site).countAgain, countedOnce + rollupsRight},
		{"`ingest verify --fix`", (*site).fix, ""},
	} {
		step.does(s)
		s.drained()
		found := s.check()
		t.Logf("%s: %s", step.name, cmp.Or(found.String(), "nothing is broken"))
		broken := found.promises()
		if step.broken == lost && !strings.Contains(broken, countedOnce) {
			broken = countedOnce + broken // no check-in was among what was lost
		}
		if broken != step.broken {
			t.Fatalf("broken promises: %q, and not %q", broken, step.broken)
		}
	}
	s.checkLogs()
}

// killCarefulWorker and killHastyWorker differ in the order of two lines. The stand-in
// writes dead letters, since this house may not look into the service's: that is
// enough to be accounted for. What is shown is not that ingest keeps the order (the
// kill loop shows that), but that the checks see it where a worker does not.
func (s *site) killCarefulWorker() { s.killStandIn("careful worker") }
func (s *site) killHastyWorker()   { s.killStandIn("hasty worker") }

func (s *site) killStandIn(role string) {
	for _, worker := range s.workers {
		worker.kill()
	}
	s.publish()
	halfway := s.path(role)
	w := s.start(role, append(s.addresses(), "FAULTS_ROLE="+role, "FAULTS_HALFWAY="+halfway),
		os.Args[0], "-test.run=^TestOtherProcess$", "-test.timeout=0")
	eventually(s.t, "the "+role+" is halfway", func() bool {
		_, err := os.Stat(halfway)
		return err == nil
	})
	w.kill()
	for i := range s.workers {
		s.startWorker(i)
	}
}

// publish publishes some events, and returns when they are acknowledged.
func (s *site) publish() {
	before := s.ledger.count.Load()
	p := s.crowd().begin(s.t.Context(), 1)
	eventually(s.t, "events are acknowledged", func() bool { return s.ledger.count.Load() >= before+3*standInBatch })
	p.end(s.t)
}

// replay makes the durable anew: the workers find it, and are handed everything that
// the stream ever had. What is known changes nothing, and what was lost is there.
func (s *site) replay() {
	if err := s.js.DeleteConsumer(s.t.Context(), stream.Name, stream.Durable(0)); err != nil {
		s.t.Fatal(err)
	}
	s.verb("setup", "--ack-wait", ackWait.String(), "--max-bytes", "2147483648")
	eventually(s.t, "everything is delivered", func() bool {
		info, err := s.durable()
		return err == nil && info.NumPending == 0 && info.Delivered.Consumer > 0
	})
}

// acknowledgeUnsynced makes it Postgres's own habit to say that something is committed
// long before it is on disk, so that a crash takes it. Who asks for more is given more,
// and ingest asks.
func (s *site) acknowledgeUnsynced() {
	s.exec("alter system set synchronous_commit = off")
	s.exec("alter system set wal_writer_delay = '10s'")
	s.exec("select pg_reload_conf()")
}

// crash publishes, waits until all is settled, and crashes Postgres at once.
func (s *site) crash() { s.crashSettled() }

// crashSettled also returns how many events were stored before the crash and are gone.
func (s *site) crashSettled() int {
	s.publish()
	s.drained()
	before := s.countStored()
	s.crashDatabase()
	s.startDatabase()
	return before - s.countStored()
}

// crashSabotaged does the same where triggers take back what ingest asked for, in
// every transaction that writes: that is what a writer amounts to that does not ask.
// ingest has no switch for it.
func (s *site) crashSabotaged() {
	s.exec(`create function unsynced() returns trigger language plpgsql as $$
		begin
			perform set_config('synchronous_commit', 'off', true);
			return null;
		end
		$$`)
	s.exec(`do $$
		declare
			writable name;
		begin
			for writable in select tablename from pg_tables where schemaname = 'public' loop
				execute format('create trigger unsynced after insert or update or delete on %I for each statement execute function unsynced()', writable);
			end loop;
		end
		$$`)
	for range 10 {
		if s.crashSettled() > 0 { // else Postgres happened to write it down for reasons of its own
			s.exec("drop function unsynced cascade")
			return
		}
	}
	s.t.Fatal("ten crashes took nothing that was committed")
}

// countStored is how many events there are, as soon as the database says so.
func (s *site) countStored() (stored int) {
	eventually(s.t, "the database answers", func() bool {
		return s.pool.QueryRow(s.t.Context(), "select count(*) from events").Scan(&stored) == nil
	})
	return stored
}

// countAgain does to the rollups what a writer would do that adds what a batch
// amounts to, and does not ask whether it has counted it before.
func (s *site) countAgain() {
	s.exec(`
		with again as (
			select e.space, e.day, count(*)::int as checkins
			from events e join names n on n.id = e.kind
			where n.name = 'checkin' and not e.voided and e.seq <= 300
			group by 1, 2
		)
		update space_day d
		set events = d.events + again.checkins, checkins = d.checkins + again.checkins
		from again
		where (d.space, d.day) = (again.space, again.day)`)
}

func (s *site) fix() {
	if out, code := s.try("verify", "--quiet", "--fix"); code != 1 {
		s.t.Fatalf("it ended with %d:\n%s", code, out)
	}
}
