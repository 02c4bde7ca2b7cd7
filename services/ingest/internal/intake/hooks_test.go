package intake_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/key"
	"coworking/pkg/stream"
	"coworking/services/ingest/internal/intake"
	"coworking/services/ingest/internal/intake/hooks"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

const hooksFile = `{"hooks": [
	{"vendor": "kisi", "secret": "kisi", "spaces": {"12": "berlin-mitte", "13": "hamburg"}},
	{"name": "gate", "vendor": "generic", "key": true, "space": "soho", "mapping": {
		"events": "/passes", "type": "{/way}", "fields": {"id": "{/n}", "time": "{/at}", "member": "{/who}"},
		"rules": [{"type": "in", "kind": "checkin"}, {"type": "new", "kind": "member_upserted"}]}}
]}`

// told by Kisi: the sample of its documentation, filled in.
func unlock(change ...string) string {
	return strings.NewReplacer(change...).Replace(`{"uuid":"0d5f7a54","actor_type":"User","actor_id":4711,"object_type":"Lock","object_id":7,` +
		`"place_id":12,"success":true,"type":"lock.unlock","created_at":"2026-03-31T11:58:03Z"}`)
}

func signed(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

// hooked is a door with the hooks of hooksFile.
func hooked(t *testing.T, change func(*intake.Config)) (http.Handler, *slot, *prometheus.Registry) {
	t.Helper()
	all, err := hooks.Read([]byte(hooksFile), hooks.Options{Secret: func(name string) (string, bool) { return "secret of " + name, true }})
	if err != nil {
		t.Fatal(err)
	}
	slot, registry := &slot{}, prometheus.NewRegistry()
	return open(func(c *intake.Config) {
		c.Open, c.Publisher, c.Hooks, c.Metrics = false, slot, all, registry
		change(c)
	}), slot, registry
}

func post(t *testing.T, door http.Handler, hook, body string, header ...string) answered {
	t.Helper()
	request := httptest.NewRequest(http.MethodPost, "/v1/hooks/"+hook, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response := httptest.NewRecorder()
	door.ServeHTTP(response, request)
	var a answered
	if err := json.Unmarshal(response.Body.Bytes(), &a); err != nil {
		t.Fatalf("%d %s: %v", response.Code, response.Body, err)
	}
	a.Status = response.Code
	if a.Status == http.StatusUnsupportedMediaType && !strings.Contains(response.Body.String(), "this hook reads application/json") {
		t.Errorf("it does not say what it reads: %s", response.Body)
	}
	if strings.Contains(response.Body.String(), "secret of") {
		t.Errorf("it tells the secret: %s", response.Body)
	}
	return a
}

func TestWhatAVendorPostsIsStored(t *testing.T) {
	door, slot, registry := hooked(t, func(*intake.Config) {})
	for range 2 { // the second time, the vendor saw no answer
		if got := post(t, door, "kisi", unlock(), "X-Signature", signed("secret of kisi", unlock())); got.Status != http.StatusAccepted || got.Stored != 1 {
			t.Fatalf("%+v", got)
		}
	}
	first, again := slot.published[0], slot.published[1]
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("a retry is another event (-first +again):\n%s", diff)
	}
	e, err := event.Decode(first.Body, event.Options{Strict: true})
	if err != nil || first.Subject != "checkins.v1.berlin-mitte.checkin" || e.ID != "0d5f7a54" || e.Source != "kisi/place-12" || e.Member != "4711" {
		t.Errorf("%s: %+v, %v", first.Subject, e, err)
	}
	counted(t, registry, `kisi",result="stored`, 2)
}

// counted holds the counter of a hook's events against a number.
func counted(t *testing.T, registry *prometheus.Registry, labels string, want int) {
	t.Helper()
	found, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, family := range found {
		if family.GetName() != "intake_hook_events_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			line := fmt.Sprintf(`%s",result="%s`, m.GetLabel()[0].GetValue(), m.GetLabel()[1].GetValue())
			if all = append(all, line); line == labels && int(m.GetCounter().GetValue()) == want {
				return
			}
		}
	}
	t.Errorf("not %d of %s: %v", want, labels, all)
}

func TestHooksTurnAwayWhatIsNotTheirs(t *testing.T) {
	good := signed("secret of kisi", unlock())
	cases := map[string]struct {
		hook, body string
		header     []string
		status     int
		code       string
	}{
		"no such hook":          {"kissi", unlock(), nil, 404, "not_found"},
		"nothing signed":        {"kisi", unlock(), nil, 401, "unauthenticated"},
		"signed by a stranger":  {"kisi", unlock(), []string{"X-Signature", signed("guess", unlock())}, 401, "unauthenticated"},
		"changed on the way":    {"kisi", unlock("4711", "4712"), []string{"X-Signature", good}, 401, "unauthenticated"},
		"a form":                {"kisi", unlock(), []string{"X-Signature", good, "Content-Type", "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"},
		"no JSON":               {"kisi", "ping", []string{"X-Signature", signed("secret of kisi", "ping")}, 400, "invalid_json"},
		"too large":             {"kisi", strings.Repeat(" ", 1<<20) + unlock(), []string{"X-Signature", good}, 413, "body_too_large"},
		"of tomorrow":           {"kisi", unlock("03-31", "04-01"), []string{"X-Signature", signed("secret of kisi", unlock("03-31", "04-01"))}, 422, "future"},
		"without a time":        {"kisi", unlock("created_at", "at"), []string{"X-Signature", signed("secret of kisi", unlock("created_at", "at"))}, 422, "invalid_time"},
		"no key":                {"gate", `{}`, nil, 401, "unauthenticated"},
		"a key that only reads": {"gate", `{}`, []string{"Authorization", "Bearer reader"}, 403, "missing_scope"},
		"a key of elsewhere":    {"gate", `{"passes":[{"n":1,"way":"in","at":"2026-03-31T11:00:00Z"}]}`, []string{"Authorization", "Bearer berlin"}, 403, "space_forbidden"},
		"members, by a key of the space": {
			"gate", `{"passes":[{"n":1,"way":"new","who":"ada","at":"2026-03-31T11:00:00Z"}]}`, []string{"Authorization", "Bearer soho"}, 403, "space_forbidden",
		},
	}
	keys := ring{
		"reader": {Scopes: []key.Scope{key.ReadReports}},
		"berlin": {Scopes: []key.Scope{key.WriteEvents}, Spaces: []string{"berlin-mitte"}},
		"soho":   {Scopes: []key.Scope{key.WriteEvents}, Spaces: []string{"soho"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			door, slot, _ := hooked(t, func(config *intake.Config) { config.Authority = keys })
			if got := post(t, door, c.hook, c.body, c.header...); got.Status != c.status || got.Code != c.code || len(slot.published) > 0 {
				t.Errorf("%+v, %d published", got, len(slot.published))
			}
		})
	}
}

// An error makes a vendor give up on the hook: what nobody asked for is none.
func TestWhatNobodyAskedForIsNoError(t *testing.T) {
	for name, c := range map[string]struct{ body, result string }{
		"another type":  {unlock("lock.unlock", "user.update"), "ignored"},
		"no type":       {"{}", "ignored"},
		"another place": {unlock(`:12,`, `:99,`), "unplaced"},
	} {
		t.Run(name, func(t *testing.T) {
			door, slot, registry := hooked(t, func(*intake.Config) {})
			got := post(t, door, "kisi", c.body, "X-Signature", signed("secret of kisi", c.body))
			if got.Status != http.StatusAccepted || got.Stored != 0 || got.Refused != 0 || len(slot.published) > 0 {
				t.Errorf("%+v, %d published", got, len(slot.published))
			}
			counted(t, registry, `kisi",result="`+c.result, 1)
		})
	}
}

func TestAPayloadOfSeveralEvents(t *testing.T) {
	keys := ring{"all": {Scopes: []key.Scope{key.WriteEvents}}}
	door, slot, _ := hooked(t, func(c *intake.Config) { c.Authority = keys })
	body := `{"passes":[{"n":1,"way":"in","at":"2026-03-31T11:00:00Z"},{"n":2,"way":"in","at":"soon"},{"n":3,"way":"up"},
		{"n":4,"way":"new","who":"ada","at":"2026-03-31T11:00:00Z"}]}`
	got := post(t, door, "gate", body, "Authorization", "Bearer all")
	if got.Status != http.StatusMultiStatus || got.Stored != 2 || got.Refused != 1 {
		t.Fatalf("%+v", got)
	}
	subjects := []string{}
	for _, m := range slot.published {
		subjects = append(subjects, m.Subject)
	}
	if diff := cmp.Diff([]string{"checkins.v1.soho.checkin", "checkins.v1._.member_upserted"}, subjects); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A vendor sends the same again while the stream is away, and it counts once.
func TestAVendorIsToldThatTheStreamIsAway(t *testing.T) {
	door, slot, _ := hooked(t, func(*intake.Config) {})
	slot.say = func(stream.Message) error {
		return fault.Unavailable.With("publish_unavailable", "", "publishing: nats: no")
	}
	got := post(t, door, "kisi", unlock(), "X-Signature", signed("secret of kisi", unlock()))
	if got.Status != http.StatusServiceUnavailable || got.Code != "publish_unavailable" {
		t.Errorf("%+v", got)
	}
}

// A stranger that takes his time with a large body keeps nobody out but other senders of
// large bodies to hooks.
func TestSlowStrangersBlockNoEvents(t *testing.T) {
	keys := ring{"all": {Scopes: []key.Scope{key.WriteEvents}}}
	door, _, _ := hooked(t, func(c *intake.Config) { c.Authority, c.AtOnce, c.Patience = keys, 1, time.Millisecond })
	body, slowly := io.Pipe()
	large := strings.Repeat(" ", 40<<10)
	begun, done := make(chan struct{}), make(chan int)
	go func() {
		request := httptest.NewRequest(http.MethodPost, "/v1/hooks/kisi", io.MultiReader(strings.NewReader(large), signal{begun}, body))
		request.Header.Set("Content-Type", "application/json")
		response := httptest.NewRecorder()
		door.ServeHTTP(response, request)
		done <- response.Code
	}()
	<-begun
	if got := post(t, door, "kisi", large); got.Status != http.StatusServiceUnavailable || got.Code != "overloaded" {
		t.Errorf("another stranger: %+v", got)
	}
	if got := post(t, door, "kisi", unlock(), "X-Signature", signed("secret of kisi", unlock())); got.Status != http.StatusAccepted {
		t.Errorf("a vendor: %+v", got)
	}
	if got, _ := send(t, door, large+told("1"), "Content-Type", structured, "Authorization", "Bearer all"); got.Status != http.StatusAccepted {
		t.Errorf("who has a key: %+v", got)
	}
	slowly.Close()
	if status := <-done; status != http.StatusUnauthorized {
		t.Errorf("the stranger got %d", status)
	}
}

// signal is a body of nothing that says when it is read.
type signal struct{ read chan struct{} }

func (s signal) Read([]byte) (int, error) {
	close(s.read)
	return 0, io.EOF
}
