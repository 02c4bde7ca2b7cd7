package checkins_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"coworking/pkg/checkins"
	"coworking/pkg/event"
	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// life is an outbox through any number of crashes, and the other side.
type life struct {
	t      *rapid.T
	root   string
	lives  int
	client *checkins.Client

	published []string // ids of what was acknowledged
	refusable map[string]bool

	mu     sync.Mutex
	room   int // how many events the other side takes before it is away
	came   []string
	bodies map[string]string
}

// Send is the other side's.
func (l *life) Send(_ context.Context, events [][]byte) ([]error, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	results := make([]error, len(events))
	for i, body := range events {
		e, err := event.Decode(body, event.Options{Strict: true})
		switch {
		case err != nil:
			results[i] = err
		case l.room == 0:
			results[i] = fault.Unavailable.With("publish_unavailable", "", "away")
		case l.refusable[e.ID]:
			results[i] = fault.Invalid.With("unknown_field", "/data", "no")
		default:
			l.room--
			l.came = append(l.came, e.ID)
			if said := l.bodies[e.ID]; said != "" && said != string(body) {
				results[i] = fmt.Errorf("%s was %s, now %s", e.ID, said, body)
			}
			l.bodies[e.ID] = string(body)
		}
	}
	return results, 0
}

func (l *life) dir() string { return filepath.Join(l.root, fmt.Sprint(l.lives)) }

func (l *life) open() {
	client, err := checkins.Open(l.dir(), l, checkins.Backoff(time.Microsecond, time.Millisecond))
	if err != nil {
		l.t.Fatal(err)
	}
	l.client = client
}

func (l *life) publish() {
	for range rapid.IntRange(1, 6).Draw(l.t, "events") {
		e := &event.Event{Source: "door", Kind: event.Presence, Space: "soho", Time: noon, Member: fmt.Sprint(len(l.published))}
		e.ID = fmt.Sprint(len(l.published))
		if rapid.IntRange(0, 9).Draw(l.t, "refused") == 0 {
			l.mu.Lock()
			l.refusable[e.ID] = true
			l.mu.Unlock()
		}
		if err := l.client.Publish(context.Background(), e); err != nil {
			l.t.Fatal(err)
		}
		l.published = append(l.published, e.ID)
	}
}

func (l *life) heal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.room += rapid.IntRange(1, 8).Draw(l.t, "room")
}

// crash leaves the process as it stands. What a kill leaves is what the files hold at
// that moment: a copy, and it may lack the mark, or end with half a frame.
func (l *life) crash() {
	before := l.dir()
	l.lives++
	if err := os.Mkdir(l.dir(), 0o700); err != nil {
		l.t.Fatal(err)
	}
	// In this order, for delivery goes on meanwhile: a mark that lags behind is sound.
	names := []string{"delivered"}
	all, err := os.ReadDir(before)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, entry := range all {
		if strings.HasSuffix(entry.Name(), ".log") || entry.Name() == "refused.ndjson" {
			names = append(names, entry.Name())
		}
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(before, name))
		switch {
		case os.IsNotExist(err):
			continue // delivered meanwhile
		case err != nil:
			l.t.Fatal(err)
		case name == "delivered" && rapid.Bool().Draw(l.t, "lost mark"):
			continue
		case name != "delivered" && rapid.Bool().Draw(l.t, "torn"):
			text = append(text, []byte("\xff\xc7\x1b\x01\x00\x00\x01half")[:rapid.IntRange(1, 11).Draw(l.t, "length")]...)
		}
		if err := os.WriteFile(filepath.Join(l.dir(), name), text, 0o600); err != nil {
			l.t.Fatal(err)
		}
	}
	if err := l.client.Close(); err != nil { // of a folder that nobody looks at any more
		l.t.Fatal(err)
	}
	l.open()
}

func (l *life) restart() {
	if err := l.client.Close(); err != nil {
		l.t.Fatal(err)
	}
	l.open()
}

// Whatever is published, delivered, refused and broken off, in whatever order: in the
// end each acknowledged event has come at least once, saying the same each time, and
// for the first time after those before it; or it is among the refused.
func TestEverythingComesInOrderWhateverHappens(t *testing.T) {
	root := t.TempDir()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		l := &life{t: t, root: filepath.Join(root, fmt.Sprint(runs)), refusable: map[string]bool{}, bodies: map[string]string{}}
		if err := os.MkdirAll(l.dir(), 0o700); err != nil {
			t.Fatal(err)
		}
		l.open()
		defer func() { l.client.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"publish": func(t *rapid.T) { l.t = t; l.publish() },
			"heal":    func(t *rapid.T) { l.t = t; l.heal() },
			"crash":   func(t *rapid.T) { l.t = t; l.crash() },
			"restart": func(t *rapid.T) { l.t = t; l.restart() },
		})
		l.mu.Lock()
		l.room = 1 << 30
		l.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := l.client.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		var wanted, unwanted, refused []string
		for _, id := range l.published {
			if l.refusable[id] {
				unwanted = append(unwanted, id)
			} else {
				wanted = append(wanted, id)
			}
		}
		if diff := cmp.Diff(wanted, firsts(l.came)); diff != "" {
			t.Fatalf("what came (-want +got):\n%s", diff)
		}
		all, err := l.client.Refused()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			refused = append(refused, r.Event.ID)
		}
		if diff := cmp.Diff(unwanted, refused); diff != "" {
			t.Fatalf("what was refused (-want +got):\n%s", diff)
		}
	})
}
