package system

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
)

func TestOneSystemAFolder(t *testing.T) {
	dir := t.TempDir()
	release, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Dir: dir}
	if _, err := c.takeFolder(t.Context()); err == nil || err.Error() != "a system runs on "+dir+" already; stop it, or give another folder by --data" {
		t.Errorf("%v", err)
	}
	release()
	release, err = c.takeFolder(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	release()
}

func TestWhatRunsIsKnownWhileItRuns(t *testing.T) {
	dir := t.TempDir()
	none := "nothing runs on " + dir + "; start it with: coworking up --data " + dir
	look := func(want Running, failure string) {
		t.Helper()
		got, err := Look(dir)
		said := ""
		if err != nil {
			said = err.Error()
		}
		if diff := cmp.Diff(want, got); diff != "" || said != failure {
			t.Errorf("%q (-want +got):\n%s", said, diff)
		}
	}
	look(Running{}, none)
	if Abandoned(dir) {
		t.Error("abandoned by nobody")
	}

	release, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := &state{dir: dir}
	want := Running{PID: 1, DatabaseURL: "postgres://a:b@c/d", NATSURL: "nats://e", QueryAddr: ":5153", IntakeAddr: "[::1]:5154", Children: map[string]int{"ingest": 7}}
	if err := s.change(func(r *Running) { *r = want }); err != nil {
		t.Fatal(err)
	}
	look(want, "")
	info, err := os.Stat(runningFile(dir))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read the password: %v, %v", info.Mode(), err)
	}
	if Abandoned(dir) {
		t.Error("abandoned while it runs")
	}

	release() // killed: the file stays
	look(Running{}, none)
	if !Abandoned(dir) {
		t.Error("not abandoned")
	}
	s.forget()
	look(Running{}, none)
}

func TestAddressesOfThisMachine(t *testing.T) {
	r := Running{QueryAddr: ":5153", IntakeAddr: "[::1]:5154"}
	if diff := cmp.Diff([]string{"http://127.0.0.1:5153", "http://[::1]:5154"}, []string{r.QueryURL(), r.IntakeURL()}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestATakenPortIsSaidWithItsFlag(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	free, taken := "127.0.0.1:0", listener.Addr().String()
	err = reserve(t.Context(), 0, place{"--query-addr", &free}, place{"--intake-addr", &taken})
	if err == nil || err.Error() != taken+" is taken: stop who listens there, or give another address by --intake-addr: address already in use" {
		t.Errorf("%v", err)
	}
}

func TestOneAddressIsNotForTwo(t *testing.T) {
	free := "127.0.0.1:0"
	if err := reserve(t.Context(), 0, place{"--query-addr", &free}); err != nil {
		t.Fatal(err)
	}
	again := free
	err := reserve(t.Context(), 0, place{"--query-addr", &free}, place{"--intake-addr", &again})
	if err == nil || !strings.Contains(err.Error(), "--intake-addr") {
		t.Errorf("%v", err)
	}
}

func TestPortsOfAKilledSystemAreWaitedFor(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	soon := time.AfterFunc(150*time.Millisecond, func() { listener.Close() })
	defer soon.Stop()
	if err := reserve(t.Context(), time.Minute, place{"--query-addr", &addr}); err != nil {
		t.Error(err)
	}
}

func TestWhoCanReachAnAddress(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:1": true, "127.8.8.8:1": true, "[::1]:1": true, "localhost:1": true, "LocalHost:1": true,
		":1": false, "0.0.0.0:1": false, "[::]:1": false, "10.0.0.1:1": false, "example.org:1": false, "nonsense": false,
	} {
		if got := loopback(addr); got != want {
			t.Errorf("loopback(%q) = %v", addr, got)
		}
	}
}

func TestDoorsThatStandOpenAreRefusedOrSaid(t *testing.T) {
	var notes []string
	c := Config{QueryAddr: "127.0.0.1:1", IntakeAddr: "127.0.0.1:2", NATSAddr: "127.0.0.1:3", Say: func(line string) { notes = append(notes, line) }}
	if err := c.check(); err != nil || len(notes) > 0 {
		t.Errorf("%v, %v", err, notes)
	}
	c.QueryAddr, c.IntakeAddr = ":1", ":2"
	if err := c.check(); err != nil || len(notes) != 2 {
		t.Errorf("%v, %v", err, notes)
	}
	c.NATSAddr = "0.0.0.0:4222"
	if err := c.check(); fault.Of(err) != fault.Invalid || !strings.HasPrefix(err.Error(), "--nats-addr 0.0.0.0:4222") {
		t.Errorf("%v", err)
	}
}

func TestReadinessIsSaidInSentences(t *testing.T) {
	cases := map[string]struct {
		answer func(http.ResponseWriter)
		want   []string
	}{
		"ready": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) }, nil},
		"what is missing": {func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"status":"failing","checks":{"schema":"behind","stream 0":"gone","x":"ok"}}`))
		}, []string{"query: schema: behind", "query: stream 0: gone"}},
		"on its way out": {func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"status":"stopping","checks":{}}`))
		}, []string{"query is stopping"}},
		"somebody else": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }, []string{"query answers 404 Not Found"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.answer(w) }))
			defer server.Close()
			defer http.DefaultClient.CloseIdleConnections()
			if diff := cmp.Diff(c.want, Readiness(t.Context(), "query", server.Listener.Addr().String())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if diff := cmp.Diff([]string{"query does not answer on 127.0.0.1:1"}, Readiness(t.Context(), "query", "127.0.0.1:1")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMissingBinariesComeWithTheLineThatHelps(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Binary("ingest")
	if err == nil || err.Error() != "there is no binary ingest beside this one or on the path; build it with: make build" {
		t.Errorf("%v", err)
	}
	beside := filepath.Join(filepath.Dir(executable(t)), "a-service")
	if err := os.WriteFile(beside, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(beside)
	if found, err := Binary("a-service"); err != nil || found != beside {
		t.Errorf("%s, %v", found, err)
	}
}

func executable(t *testing.T) string {
	t.Helper()
	own, err := os.Executable()
	if err == nil {
		own, err = filepath.EvalSymlinks(own)
	}
	if err != nil {
		t.Fatal(err)
	}
	return own
}

func TestASmallDiskHasRoomForASmallStream(t *testing.T) {
	free, err := Free(t.TempDir())
	if err != nil || free <= 0 {
		t.Errorf("%d, %v", free, err)
	}
	s := running{Config: Config{Dir: t.TempDir()}}
	if room := s.room(); room < 64<<20 || room > 8<<30 || room > max(free, 64<<20) {
		t.Errorf("%d bytes of %d", room, free)
	}
}

func TestAStoppedSystemIsNoError(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	s := running{Config: Config{IntakeAddr: "127.0.0.1:1", QueryAddr: "127.0.0.1:1", Say: func(string) {}}}
	if err := s.serve(ctx, nil); err != nil {
		t.Error(err)
	}
}
