package boot

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
)

func TestHealthSaysWhatIsWrong(t *testing.T) {
	well := func(context.Context) error { return nil }
	ill := func(context.Context) error { return errors.New("no connection") }
	cases := map[string]struct {
		prepare func(*Health)
		path    string
		code    int
		want    status
	}{
		"nobody asks for anything": {
			prepare: func(*Health) {}, path: "/readyz",
			code: 200, want: status{Status: "ok", Checks: map[string]string{}},
		},
		"all is well": {
			prepare: func(h *Health) { h.Ready("stream", well); h.Ready("database", well) }, path: "/readyz",
			code: 200, want: status{Status: "ok", Checks: map[string]string{"stream": "ok", "database": "ok"}},
		},
		"one thing is wrong": {
			prepare: func(h *Health) { h.Ready("stream", well); h.Ready("database", ill) }, path: "/readyz",
			code: 503, want: status{Status: "failing", Checks: map[string]string{"stream": "ok", "database": "no connection"}},
		},
		"what is not ready lives": {
			prepare: func(h *Health) { h.Ready("database", ill); h.Live("worker", well) }, path: "/livez",
			code: 200, want: status{Status: "ok", Checks: map[string]string{"worker": "ok"}},
		},
		"what does not live": {
			prepare: func(h *Health) { h.Live("worker", ill) }, path: "/livez",
			code: 503, want: status{Status: "failing", Checks: map[string]string{"worker": "no connection"}},
		},
		"a weak promise is no reason to stop": {
			prepare: func(h *Health) { h.Note("durability", "one copy"); h.Note("gone", "x"); h.Note("gone", "") }, path: "/readyz",
			code: 200, want: status{Status: "ok", Checks: map[string]string{}, Notes: map[string]string{"durability": "one copy"}},
		},
		"what stops is well, but not ready": {
			prepare: func(h *Health) { h.Ready("stream", well); h.Stopping() }, path: "/readyz",
			code: 503, want: status{Status: "stopping", Checks: map[string]string{"stream": "ok"}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			health := NewHealth()
			c.prepare(health)
			address, stop := serve(t, Ops(health, NewRegistry("shop")))
			defer stop()
			code, body := get(t, address+c.path)
			var got status
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatalf("%s: %v", body, err)
			}
			if diff := cmp.Diff(c.want, got); code != c.code || diff != "" {
				t.Errorf("%d (-want +got):\n%s", code, diff)
			}
		})
	}
}

// A check that hangs is a check that fails.
func TestACheckThatHangsFails(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	got := ask(ctx, map[string]Check{"database": func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}})
	if got.Status != "failing" {
		t.Errorf("%+v", got)
	}
}

func TestMetricsSayWhatWasBuilt(t *testing.T) {
	address, stop := serve(t, Ops(NewHealth(), NewRegistry("shop")))
	defer stop()
	code, body := get(t, address+"/metrics")
	if code != 200 || !strings.Contains(body, `service="shop",version="development"} 1`) || !strings.Contains(body, "go_goroutines ") {
		t.Errorf("%d:\n%s", code, body)
	}
}

// On a stop, /readyz says so while new requests are still answered, and a request
// that is under way is finished.
func TestAServerFinishesWhatItHas(t *testing.T) {
	health := NewHealth()
	begun, finish := make(chan struct{}), make(chan struct{})
	mux := Ops(health, NewRegistry("shop"))
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-finish
		_, _ = io.WriteString(w, "done")
	})
	listener := listen(t)
	address := "http://" + listener.Addr().String()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- ServeOn(ctx, listener, mux, Announce(health, 300*time.Millisecond)) }()

	slow := make(chan string)
	go func() {
		_, body := get(t, address+"/slow")
		slow <- body
	}()
	<-begun
	stop()
	for code := 200; code != http.StatusServiceUnavailable; {
		code, _ = get(t, address+"/readyz")
	}
	if code, _ := get(t, address+"/livez"); code != http.StatusOK {
		t.Errorf("during the notice: %d", code)
	}
	close(finish)
	if body := <-slow; body != "done" {
		t.Errorf("the slow request got %q", body)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A connection that is kept and closed by the server may be closed while a client asks
// on it: so the answers of the notice are the last ones, and say so.
func TestAnswersOfTheNoticeEndTheirConnections(t *testing.T) {
	health := NewHealth()
	listener := listen(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- ServeOn(ctx, listener, Ops(health, NewRegistry("shop")), Announce(health, 300*time.Millisecond))
	}()
	ask := func() (code int, last bool) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String()+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode, response.Close
	}
	code, last := ask()
	if code != http.StatusOK || last {
		t.Errorf("before the notice: %d, and the connection was kept: %t", code, !last)
	}
	stop()
	for code == http.StatusOK {
		code, last = ask()
	}
	if !last {
		t.Error("during the notice, a connection was kept")
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAnAddressThatIsTakenIsRefused(t *testing.T) {
	taken := listen(t)
	defer taken.Close()
	if err := Serve(t.Context(), taken.Addr().String(), http.NotFoundHandler()); fault.Of(err) != fault.Internal {
		t.Errorf("%v", err)
	}
}

func TestAServerThatLosesItsListenerSaysSo(t *testing.T) {
	listener := listen(t)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := ServeOn(t.Context(), listener, http.NotFoundHandler()); fault.Of(err) != fault.Internal {
		t.Errorf("%v", err)
	}
}

func TestHeadersHaveALimit(t *testing.T) {
	address, stop := serve(t, http.NotFoundHandler())
	defer stop()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Cookie", strings.Repeat("x", 2*maxHeaderBytes))
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%s", answer.Status)
	}
}

// serve answers until stop, which waits.
func serve(t *testing.T, handler http.Handler) (address string, stop func()) {
	t.Helper()
	listener := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- ServeOn(ctx, listener, handler) }()
	return "http://" + listener.Addr().String(), func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// client keeps no connection, so that none is left over.
var client = http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func get(t *testing.T, address string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Error(err)
	}
	return answer.StatusCode, string(body)
}
