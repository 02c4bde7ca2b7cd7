package checkins_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"coworking/pkg/checkins"
	"coworking/pkg/devbroker"
	"coworking/pkg/event"
	"coworking/pkg/stream"
	"coworking/pkg/streamtest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.uber.org/zap"
)

// TestMain is also the process that the crash tests kill.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CHECKINS_DOOR"); dir != "" {
		os.Exit(beADoor(dir, os.Getenv("CHECKINS_HASTY") != ""))
	}
	goleak.VerifyTestMain(m)
}

var noon = time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)

// checkIn is an event with a number for an id.
func checkIn(n int) *event.Event {
	return &event.Event{ID: fmt.Sprint(n), Source: "door", Kind: event.CheckIn, Time: noon, Member: "ada", Space: "soho", Data: event.Data{Method: "door"}}
}

// quick does not wait long between attempts.
var quick = checkins.Backoff(time.Millisecond, 20*time.Millisecond)

func open(t *testing.T, dir string, transport checkins.Transport, change ...checkins.Option) *checkins.Client {
	t.Helper()
	client, err := checkins.Open(dir, transport, append([]checkins.Option{quick}, change...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func publish(t *testing.T, client *checkins.Client, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if err := client.Publish(t.Context(), checkIn(n)); err != nil {
			t.Fatalf("event %d: %v", n, err)
		}
	}
}

func flush(t *testing.T, client *checkins.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := client.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	for !holds() {
		select {
		case <-poll.C:
		case <-deadline.C:
			t.Fatalf("never: %s", what)
		}
	}
}

// far is the other side, in memory: what came, and what it says to each event.
type far struct {
	mu   sync.Mutex
	came []string // ids
	says func(id string) error
}

func (f *far) Send(_ context.Context, events [][]byte) ([]error, time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	results := make([]error, len(events))
	for i, body := range events {
		e, err := event.Decode(body, event.Options{Strict: true})
		if err == nil && f.says != nil {
			err = f.says(e.ID)
		}
		if results[i] = err; err == nil {
			f.came = append(f.came, e.ID)
		}
	}
	return results, 0
}

func (f *far) ids() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.came...)
}

// numbers is the ids of checkIn, from and to.
func numbers(from, to int) []string {
	var ids []string
	for n := from; n < to; n++ {
		ids = append(ids, fmt.Sprint(n))
	}
	return ids
}

func wantIDs(t *testing.T, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// aDoorAndAFolder is where an example publishes to, and from.
func aDoorAndAFolder() (address, folder string, stop func()) {
	folder = aFolder()
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		says(http.StatusAccepted, "", stores)(w, []string{"0"})
	}))
	return there.URL, folder, func() {
		there.Close()
		os.RemoveAll(folder)
	}
}

func aBrokerAndAFolder() (address, folder string, stop func()) {
	folder = aFolder()
	there, err := devbroker.Start(devbroker.Config{Dir: filepath.Join(folder, "broker")})
	if err != nil {
		panic(err)
	}
	conn, js, err := stream.Connect(there.URL(), "setup", zap.NewNop())
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	if _, err := stream.Setup(context.Background(), js, streamtest.Config); err != nil {
		panic(err)
	}
	return there.URL(), filepath.Join(folder, "outbox"), func() {
		there.Close()
		os.RemoveAll(folder)
	}
}

func aFolder() string {
	folder, err := os.MkdirTemp("", "checkins-")
	if err != nil {
		panic(err)
	}
	return folder
}
