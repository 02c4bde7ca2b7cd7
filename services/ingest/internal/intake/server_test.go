package intake_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"coworking/pkg/boot"
	"coworking/services/ingest/internal/intake"

	"github.com/google/go-cmp/cmp"
)

// What is nowhere is answered as every other refusal is, also beside the addresses of
// operators, which share the port.
func TestWhatIsNowhereIsAProblem(t *testing.T) {
	port := boot.Ops(boot.NewHealth(), boot.NewRegistry("ingest"))
	port.Handle("/", open(func(*intake.Config) {}))
	const (
		nothing     = `{"type":"about:blank","title":"Not Found","status":404,"code":"not_found","detail":"there is nothing at this address"}` + "\n"
		wrongMethod = `{"type":"about:blank","title":"Method Not Allowed","status":405,"code":"method_not_allowed","detail":"this address does not take that method; Allow says which it takes"}` + "\n"
	)
	cases := map[string]struct {
		method, path string
		status       int
		body, allow  string
	}{
		"the root":                        {"GET", "/", 404, nothing, ""},
		"what nobody ever heard of":       {"GET", "/favicon.ico", 404, nothing, ""},
		"the version alone":               {"GET", "/v1", 404, nothing, ""},
		"the version with a slash":        {"GET", "/v1/", 404, nothing, ""},
		"below the events":                {"POST", "/v1/events/1", 404, nothing, ""},
		"an address of the other service": {"GET", "/api/v1/reports/daily_usage", 404, nothing, ""},
		"something posted to a probe":     {"POST", "/livez", 404, nothing, ""},
		"events that are asked for":       {"GET", "/v1/events", 405, wrongMethod, "OPTIONS, POST"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			response := httptest.NewRecorder()
			port.ServeHTTP(response, httptest.NewRequest(c.method, c.path, http.NoBody))
			if got := response.Header().Get("Content-Type"); got != "application/problem+json" || response.Code != c.status {
				t.Errorf("%d %s", response.Code, got)
			}
			if diff := cmp.Diff(c.body, response.Body.String()); diff != "" {
				t.Error(diff)
			}
			if got := response.Header().Get("Allow"); got != c.allow {
				t.Errorf("it allows %q", got)
			}
		})
	}
}
