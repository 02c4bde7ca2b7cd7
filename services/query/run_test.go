package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"coworking/pkg/pg"
	"coworking/pkg/pgtest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
)

// The tests' Postgres lives as long as their process.
func TestMain(m *testing.M) {
	pgtest.VerifyTestMain(m)
}

// running is a service that a test started.
type running struct {
	t    *testing.T
	base string
	stop func() error
}

// start runs the service on a database, on an address of this machine.
func start(t *testing.T, database, host string) *running {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pg.Open(t.Context(), pg.URL(database), pg.Options{Name: "query", MaxConns: spare + 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	command := runCmd{LegacyTZ: zone{time.UTC}, Notice: time.Millisecond}
	go func() { ended <- command.serve(ctx, zap.NewNop(), pool, nil, listener) }()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	r := &running{t: t, base: "http://127.0.0.1:" + port}
	r.stop = func() error {
		cancel()
		err := <-ended
		ended <- nil
		pool.Close()
		http.DefaultClient.CloseIdleConnections()
		return err
	}
	t.Cleanup(func() { _ = r.stop() })
	return r
}

func (r *running) get(path string) (status int, body string) {
	r.t.Helper()
	response, err := http.Get(r.base + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestOnALaptopEverythingIsAnswered(t *testing.T) {
	r := start(t, pgtest.URL(t), "127.0.0.1")
	for _, path := range []string{
		"/", "/livez", "/readyz", "/metrics", "/health_check", "/readiness_check",
		"/api/reports/daily_usage", "/api/reports/user_visits", "/api/v1/reports", "/api/v1/reports/daily_usage.csv",
	} {
		if status, body := r.get(path); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if _, metrics := r.get("/metrics"); !strings.Contains(metrics, `http_request_duration_seconds_count{method="GET",route="/api/v1/reports/:report",status="200"} 1`) {
		t.Error("requests are not counted")
	}
	_, body := r.get("/readyz")
	var said struct{ Notes map[string]string }
	if err := json.Unmarshal([]byte(body), &said); err != nil {
		t.Fatal(err)
	}
	if said.Notes["durability"] == "" {
		t.Error("a test's database keeps nothing, and nobody says so")
	}
	if err := r.stop(); err != nil {
		t.Errorf("it stopped with %v", err)
	}
}

func TestOnOtherAddressesAKeyIsNeeded(t *testing.T) {
	r := start(t, pgtest.URL(t), "0.0.0.0")
	for path, want := range map[string]int{
		"/readyz": 200, "/api/reports/daily_usage": 200, "/api/reports/user_visits": 401, "/api/v1/reports/daily_usage": 401,
	} {
		if status, body := r.get(path); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

func TestWithoutASchemaNothingIsReady(t *testing.T) {
	r := start(t, pgtest.Empty(t), "127.0.0.1")
	if status, body := r.get("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "ingest migrate up") {
		t.Errorf("/readyz: %d %s", status, body)
	}
	for path, want := range map[string]int{
		"/livez": 200, "/health_check": 200, "/readiness_check": 500, "/api/reports/daily_usage": 500, "/api/v1/reports/daily_usage": 500,
	} {
		if status, body := r.get(path); status != want || strings.Contains(body, "relation") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

func TestWithoutADatabaseNothingIsReady(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close() // nobody is there now
	r := start(t, "postgres://who:s3cret@"+address+"/where", "127.0.0.1")
	for path, want := range map[string]int{
		"/livez": 200, "/health_check": 200, "/readyz": 503, "/readiness_check": 500,
		"/api/reports/daily_usage": 503, "/api/v1/reports/daily_usage": 503,
	} {
		if status, body := r.get(path); status != want || strings.Contains(body, "s3cret") || strings.Contains(body, "who") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

func TestWhereTheDatabaseIs(t *testing.T) {
	cases := map[string]struct {
		flags databaseFlags
		want  pg.URL
	}{
		"an address": {databaseFlags{DatabaseURL: "postgres://a@b/c"}, "postgres://a@b/c"},
		"an address beats the old variables": {
			databaseFlags{DatabaseURL: "postgres://a@b/c", DB: legacyDatabase{Username: "x"}}, "postgres://a@b/c",
		},
		"the old variables": {
			databaseFlags{DB: legacyDatabase{Username: "u@x", Password: "p/w:d", Host: "::1", Port: 5433, Name: "my db"}},
			"postgres://u%40x:p%2Fw%3Ad@[::1]:5433/my%20db",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := (&runCmd{databaseFlags: c.flags}).database()
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if text := fmt.Sprintf("%v %+v %#v", c.flags, c.flags, c.flags.DB); strings.Contains(text, "p/w:d") {
				t.Errorf("the password is printed: %s", text)
			}
		})
	}
	if _, err := new(runCmd).database(); err == nil {
		t.Error("no database is no mistake")
	}
}

func TestWhoMayReadTheOldReportOnPersons(t *testing.T) {
	yes, no := true, false
	cases := map[string]struct {
		said     *bool
		loopback bool
		want     bool
	}{
		"anybody on this machine":              {nil, true, true},
		"nobody from elsewhere":                {nil, false, false},
		"anybody, if somebody says so":         {&yes, false, true},
		"nobody at all, if somebody says that": {&no, true, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := (&runCmd{LegacyOpen: c.said}).legacyOpen(c.loopback); got != c.want {
				t.Errorf("it is %v", got)
			}
		})
	}
}
