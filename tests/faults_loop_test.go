package tests

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"coworking/pkg/stream"
)

var (
	faultsFor  = flag.Duration("faults", 0, "how long the kill loop kills; not less than it takes to strike every kind of blow once")
	faultsSeed = flag.Uint64("seed", 0, "what the kill loop's events and blows are drawn from; 0: something else each time")
)

// Every process is killed again and again while events come in. Once all is well
// again, every acknowledged event is stored or buried, and counted once; the rollups
// are what the events amount to, before a rebuild and after; and every message of
// the stream is accounted for.
//
// kill -9 and SIGQUIT take what a process has in memory, not what the system has in
// its cache for files: they do not show that fsync is asked for. For that, the
// settings of broker and database are looked at: a worker warns of weaker ones.
func TestNothingIsLostAndNothingCountsTwiceThroughKills(t *testing.T) {
	seed := *faultsSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	s := open(t)
	l := &loop{
		site: s, crowd: s.crowd(), random: rand.New(rand.NewPCG(seed, doors)),
		struck: map[string]int{}, latest: map[string]int{}, back: map[string][]time.Duration{},
	}
	publishing := l.crowd.begin(t.Context(), seed)
	l.run(*faultsFor)
	healed := time.Now()
	l.watches.Wait() // while events come in: they wait for one more, which must not have been the last
	publishing.end(t)
	s.drained()
	recovered := time.Since(healed)
	l.figures(recovered)

	if found := s.check(); len(found) > 0 {
		t.Errorf("with seed %d:\n%s", seed, found)
	}
	s.verb("rebuild", "--quiet")
	if found := s.check(); len(found) > 0 {
		t.Errorf("after a rebuild, with seed %d:\n%s", seed, found)
	}
	s.checkLogs()
}

// crowd is another crowd that publishes to the site.
func (s *site) crowd() *crowd {
	s.crowds++
	return &crowd{
		name: fmt.Sprintf("door-%d", s.crowds), ledger: s.ledger, now: time.Now(),
		publisher: stream.NewPublisher(s.js, stream.Patience{Acknowledgement: 2 * time.Second}),
	}
}

// publishing is a crowd at work.
type publishing struct {
	stop   chan struct{}
	result chan error
}

func (c *crowd) begin(ctx context.Context, seed uint64) publishing {
	p := publishing{make(chan struct{}), make(chan error, 1)}
	go func() { p.result <- c.publish(ctx, p.stop, seed) }()
	return p
}

// end asks everybody to stop, and waits until what they published is acknowledged.
func (p publishing) end(t *testing.T) {
	t.Helper()
	close(p.stop)
	select {
	case err := <-p.result:
		if err != nil {
			t.Errorf("publishing: %v", err)
		}
	case <-time.After(patience):
		t.Fatalf("not all was acknowledged within %v", patience)
	}
}

// loop strikes blow after blow.
type loop struct {
	*site

	crowd  *crowd
	random *rand.Rand
	frozen [2]time.Time // until when a worker stands still; zero: it does not
	struck map[string]int

	watches sync.WaitGroup
	mu      sync.Mutex
	latest  map[string]int             // how often each part was struck that is watched
	back    map[string][]time.Duration // how long it took until work went on
}

// blows is what may happen; where it stands twice, it happens twice as often.
var blows = []struct {
	name   string
	strike func(*loop)
}{
	{"worker kill -9", (*loop).killWorker},
	{"worker kill -9", (*loop).killWorker},
	{"broker kill -9", (*loop).killBroker},
	{"broker kill -9", (*loop).killBroker},
	{"postgres SIGQUIT", (*loop).quitDatabase},
	{"postgres SIGQUIT", (*loop).quitDatabase},
	{"worker SIGTERM", (*loop).endWorker},
	{"worker SIGSTOP", (*loop).freezeWorker},
	{"everything at once", (*loop).killEverything},
}

// run deals all blows in a random order, again and again, one soon after the other:
// what comes next mostly meets a system that is still busy with what was before. It
// does not stop before it has struck every kind of blow, and strikes none twice until then.
func (l *loop) run(long time.Duration) {
	l.t.Helper()
	end := time.Now().Add(long)
	kinds := map[string]bool{}
	for _, blow := range blows {
		kinds[blow.name] = true
	}
	var hand []int
	for (time.Now().Before(end) || len(l.struck) < len(kinds)) && !l.t.Failed() {
		if len(hand) == 0 {
			hand = l.random.Perm(len(blows))
		}
		blow := blows[hand[0]]
		hand = hand[1:]
		if l.struck[blow.name] > 0 && len(l.struck) < len(kinds) {
			continue
		}
		if !pausing(l.t.Context(), 200*time.Millisecond+time.Duration(l.random.IntN(1000))*time.Millisecond) {
			return
		}
		l.thaw(time.Now())
		blow.strike(l)
		l.struck[blow.name]++
	}
	l.thaw(time.Now().Add(time.Hour))
}

func (l *loop) killWorker() {
	i := l.random.IntN(len(l.workers))
	l.workers[i].kill()
	l.startWorker(i)
	l.frozen[i] = time.Time{}
}

func (l *loop) killBroker() {
	l.broker.kill()
	l.startBroker()
	l.watch("broker", l.ledger.count.Load)
}

func (l *loop) quitDatabase() {
	l.crashDatabase()
	began := time.Now()
	l.startDatabase()
	l.watchDatabase(began)
}

// endWorker is a rolling restart: the next one is there before the last has gone.
func (l *loop) endWorker() {
	i := l.random.IntN(len(l.workers))
	if !l.frozen[i].IsZero() {
		l.workers[i].signal(syscall.SIGCONT)
		l.frozen[i] = time.Time{}
	}
	l.workers[i].signal(syscall.SIGTERM)
	l.leaving = append(l.leaving, l.workers[i])
	l.startWorker(i)
}

// freezeWorker stops a worker in the middle of whatever it does. Some stand still
// until the stream has given what they held to the other, and then go on writing it.
func (l *loop) freezeWorker() {
	i := l.random.IntN(len(l.workers))
	long := time.Duration(200+l.random.IntN(2000)) * time.Millisecond
	if l.random.IntN(2) == 0 {
		long = ackWait + time.Second
	}
	l.workers[i].signal(syscall.SIGSTOP)
	l.frozen[i] = time.Now().Add(long)
}

// thaw lets workers go on whose time has come.
func (l *loop) thaw(now time.Time) {
	for i, until := range l.frozen {
		if !until.IsZero() && until.Before(now) {
			l.workers[i].signal(syscall.SIGCONT)
			l.frozen[i] = time.Time{}
		}
	}
}

// killEverything is the power failing, but for the cache of the file system.
func (l *loop) killEverything() {
	l.workers[0].signal(syscall.SIGKILL)
	l.broker.signal(syscall.SIGKILL)
	l.crashDatabase()
	l.broker.kill()
	l.workers[0].kill()
	l.workers[1].kill()
	l.frozen = [2]time.Time{}
	began := time.Now()
	l.startWorker(0) // nobody waits for anybody
	l.startWorker(1)
	l.startBroker()
	l.startDatabase()
	l.watch("broker", l.ledger.count.Load)
	l.watchDatabase(began)
}

// watch notes how long it takes until a count goes on.
func (l *loop) watch(name string, count func() int64) {
	began, before := time.Now(), count()
	l.until(name, began, func() bool { return count() > before })
}

// watchDatabase notes how long it takes until events are stored again.
func (l *loop) watchDatabase(began time.Time) {
	before := -1
	l.until("postgres", began, func() bool {
		var stored int
		if err := l.pool.QueryRow(l.t.Context(), "select count(*) from events").Scan(&stored); err != nil {
			return false
		}
		if before < 0 {
			before = stored
		}
		return stored > before
	})
}

// until waits beside the loop until work goes on, or the same part is struck again.
func (l *loop) until(name string, began time.Time, goesOn func() bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.latest[name]++
	this := l.latest[name]
	l.watches.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for !goesOn() {
			select {
			case <-tick.C:
			case <-l.t.Context().Done():
				return
			}
			if time.Since(began) > patience {
				l.t.Errorf("%s: nothing went on within %v", name, patience)
				return
			}
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if this == l.latest[name] {
			l.back[name] = append(l.back[name], time.Since(began))
		}
	})
}

// figures prints what happened.
func (l *loop) figures(recovered time.Duration) {
	l.t.Helper()
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(l.struck)) {
		fmt.Fprintf(&text, "%-20s %6d\n", name, l.struck[name])
	}
	streamed := l.readStream()
	different := map[identity]bool{}
	for _, m := range streamed {
		different[m.identity] = true
	}
	fmt.Fprintf(&text, "%-20s %6d\n", "published", l.crowd.published.Load())
	fmt.Fprintf(&text, "%-20s %6d\n", "acknowledged", l.ledger.count.Load())
	fmt.Fprintf(&text, "%-20s %6d, since their outcome was unknown\n", "sent again", l.crowd.again.Load())
	fmt.Fprintf(&text, "%-20s %6d messages, %d different events\n", "stream", len(streamed), len(different))
	if info, err := l.durable(); err == nil {
		fmt.Fprintf(&text, "%-20s %6d times at least, what had been delivered before\n", "delivered", int64(info.Delivered.Consumer)-int64(len(streamed)))
	}
	for _, name := range slices.Sorted(maps.Keys(l.back)) {
		times := slices.Sorted(slices.Values(l.back[name]))
		fmt.Fprintf(&text, "%-20s after %.1f s, at most %.1f s\n", name+" is back",
			times[len(times)/2].Seconds(), times[len(times)-1].Seconds())
	}
	fmt.Fprintf(&text, "%-20s after %.1f s: what a killed worker held comes again after %v\n", "nothing is pending", recovered.Seconds(), ackWait)
	l.t.Logf("\n%s", &text)
}

// checkLogs looks through what the workers said for what must never be said, and for
// what they think of their broker and database: that only copies are missing.
func (s *site) checkLogs() {
	s.t.Helper()
	logs, err := filepath.Glob(s.path("ingest-*.log"))
	if err != nil || len(logs) == 0 {
		s.t.Fatalf("the workers' logs: %v", err)
	}
	for _, name := range logs {
		text, err := os.ReadFile(name)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, never := range []string{"DATA RACE", "panic:"} {
			if at := bytes.Index(text, []byte(never)); at >= 0 {
				s.t.Errorf("%s says:\n%s", filepath.Base(name), text[at:min(len(text), at+4000)])
			}
		}
		asked := false
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "weaker than promised") {
				asked = true
				if !strings.Contains(line, "1 of 3 copies") {
					s.t.Errorf("%s says: %s", filepath.Base(name), line)
				}
			}
		}
		if !asked {
			s.t.Errorf("%s does not say how durable broker and database are", filepath.Base(name))
		}
	}
}
