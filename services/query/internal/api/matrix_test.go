package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coworking/pkg/key"
	"coworking/pkg/pgtest"
	"coworking/services/query/internal/access"
	"coworking/services/query/internal/api"
	"coworking/services/query/internal/report"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/labstack/echo/v4"
)

// guarded is a server that asks for keys, over a database with two spaces in it.
func guarded(t *testing.T, change func(*api.Config)) (handler http.Handler, pool *pgxpool.Pool) {
	t.Helper()
	pool = pgtest.New(t)
	if _, err := pool.Exec(t.Context(), `
		insert into names (name) values ('door');
		insert into spaces (space) values ('berlin'), ('soho');
		insert into members (member) values ('ada'), ('ben');
		insert into space_day (space, day, events, visits, members) select id, '2026-03-30', 1, 1, 1 from spaces;
		insert into member_day (space, day, member, visits, checkins, in_at, out_at, end_reason, touches, last_touch, state)
		select s.id, '2026-03-30', m.id, 1, 1, '2026-03-30 10:00Z', '2026-03-30 12:00Z', 0, 1, '2026-03-30 10:00Z', ''
		from spaces s join members m on (s.space, m.member) in (('berlin', 'ada'), ('soho', 'ben'))`); err != nil {
		t.Fatal(err)
	}
	keys := key.NewKeys(pool, time.Now)
	t.Cleanup(keys.Close)
	return serve(func(c *api.Config) {
		c.Reports, c.Open, c.LegacyOpen = report.NewReader(pool), false, false
		c.Authority, c.Audit = &access.Authority{Keys: keys}, access.Audit{Pool: pool}
		change(c)
	}), pool
}

// keyFor makes a key, and is the header that shows it.
func keyFor(t *testing.T, pool *pgxpool.Pool, spaces []string, scopes ...key.Scope) string {
	t.Helper()
	_, secret, err := key.Create(t.Context(), pool, key.Wanted{Name: t.Name(), Scopes: scopes, Spaces: spaces})
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + string(secret)
}

// public is the addresses that anybody may ask. What is not here needs a key.
var public = map[string]bool{
	"/": true, "/livez": true, "/readyz": true, "/metrics": true,
	"/health_check": true, "/readiness_check": true, "/api/reports/daily_usage": true,
	"/openapi.json": true, "/docs": true, "/docs/api": true, "/docs/reports/:report": true, "/docs/style.css": true,
}

// Every address there is, whoever asks: it is the router that says which there are,
// so that one that nobody thought of is found here.
func TestEveryAddressAsksForItsScope(t *testing.T) {
	t.Parallel()
	handler, pool := guarded(t, func(*api.Config) {})
	var (
		wrong   = keyFor(t, pool, nil, key.WriteEvents)
		numbers = keyFor(t, pool, nil, key.ReadReports)
		persons = keyFor(t, pool, nil, key.ReadMembers)
		all     = keyFor(t, pool, nil, key.Admin)
	)
	asked := 0
	router, ok := handler.(*echo.Echo)
	if !ok {
		t.Fatal("the handler does not tell its routes")
	}
	for _, route := range router.Routes() {
		if route.Method != http.MethodGet {
			continue
		}
		reports := report.Catalogue
		if !strings.Contains(route.Path, ":report") {
			reports = reports[:1]
		}
		for _, r := range reports {
			address := strings.ReplaceAll(route.Path, ":report", r.Name)
			right, other := numbers, persons
			if r.Personal && address != route.Path || route.Path == "/api/reports/user_visits" {
				right, other = persons, numbers
			}
			of := func(header string) *httptest.ResponseRecorder {
				asked++
				return ask(handler, http.MethodGet, address, "Authorization", header)
			}
			if public[route.Path] {
				if got := of("").Code; got != http.StatusOK {
					t.Errorf("anybody asks %s: %d", address, got)
				}
				continue
			}
			for header, want := range map[string]string{
				"": "unauthenticated", "Basic YTpi": "unauthenticated", "Bearer cw_nobody_knows": "unauthenticated", wrong: "missing_scope",
			} {
				if got := problem(t, of(header)); got.Code != want {
					t.Errorf("%q asks %s: %+v", header, address, got)
				}
			}
			if address == route.Path && route.Path != "/api/reports/user_visits" {
				other = "" // both may
			}
			if other != "" && problem(t, of(other)).Code != "missing_scope" {
				t.Errorf("%s is answered to who may read something else", address)
			}
			for _, header := range []string{right, all} {
				if got := of(header); got.Code != http.StatusOK {
					t.Errorf("%s: %d %s", address, got.Code, got.Body)
				}
			}
		}
	}
	if asked < 8*len(report.Catalogue) {
		t.Errorf("only %d questions were asked", asked)
	}
}

// A key of one space knows of no other: not by name, not in totals, not in errors.
func TestAKeySeesItsSpacesOnly(t *testing.T) {
	t.Parallel()
	handler, pool := guarded(t, func(*api.Config) {})
	soho := keyFor(t, pool, []string{"soho"}, key.ReadReports, key.ReadMembers)
	for _, r := range report.Catalogue {
		for _, query := range []string{"?space=berlin", "?space=soho&space=berlin", "?space=berlin&space=nowhere"} {
			response := ask(handler, http.MethodGet, "/api/v1/reports/"+r.Name+query, "Authorization", soho)
			nowhere := ask(handler, http.MethodGet, "/api/v1/reports/"+r.Name+strings.ReplaceAll(query, "berlin", "atlantis"), "Authorization", soho)
			if p := problem(t, response); p.Code != "space_not_found" || p.Status != http.StatusNotFound {
				t.Errorf("%s%s: %+v", r.Name, query, p)
			}
			if got, want := response.Body.String(), strings.ReplaceAll(nowhere.Body.String(), "atlantis", "berlin"); got != want {
				t.Errorf("%s%s tells that the space is there: %s", r.Name, query, got)
			}
		}
		for _, query := range []string{"", "?space=soho", "?period=all"} {
			address := "/api/v1/reports/" + r.Name + query
			if query == "?period=all" && !takes(r, "period") {
				continue
			}
			response := ask(handler, http.MethodGet, address, "Authorization", soho)
			if response.Code != http.StatusOK {
				t.Errorf("%s: %d %s", address, response.Code, response.Body)
			}
			for _, word := range []string{"berlin", "ada"} {
				if strings.Contains(response.Body.String(), `"`+word+`"`) {
					t.Errorf("%s names %s: %s", address, word, response.Body)
				}
			}
		}
	}
	var answer struct{ Totals struct{ Visits int } }
	body := ask(handler, http.MethodGet, "/api/v1/reports/daily_usage?from=2026-03-30&to=2026-03-31", "Authorization", soho).Body
	if err := json.Unmarshal(body.Bytes(), &answer); err != nil || answer.Totals.Visits != 1 {
		t.Errorf("of two visits, one in soho, it sees %s", body)
	}
	everywhere := keyFor(t, pool, nil, key.ReadReports)
	body = ask(handler, http.MethodGet, "/api/v1/reports/daily_usage?from=2026-03-30&to=2026-03-31", "Authorization", everywhere).Body
	if err := json.Unmarshal(body.Bytes(), &answer); err != nil || answer.Totals.Visits != 2 {
		t.Errorf("of two visits, a key of all spaces sees %s", body)
	}
}

func takes(r report.Report, name string) bool {
	for _, p := range r.Params {
		if p.Name == name {
			return true
		}
	}
	return false
}

// A client that has an answer still has to show its key to hear that it holds.
func TestWhatIsUnchangedIsNotSentAgain(t *testing.T) {
	t.Parallel()
	handler, pool := guarded(t, func(*api.Config) {})
	numbers := keyFor(t, pool, nil, key.ReadReports)
	const address = "/api/v1/reports/daily_usage?from=2026-03-30&to=2026-03-31"
	first := ask(handler, http.MethodGet, address, "Authorization", numbers)
	tag := first.Header().Get("ETag")
	again := func(address string, header ...string) *httptest.ResponseRecorder {
		return ask(handler, http.MethodGet, address, append(header, "If-None-Match", tag)...)
	}
	if got := again(address, "Authorization", numbers); got.Code != http.StatusNotModified || got.Body.Len() > 0 {
		t.Errorf("unchanged: %d %s", got.Code, got.Body)
	}
	if got := again(address); got.Code != http.StatusUnauthorized {
		t.Errorf("without a key: %d", got.Code)
	}
	for name, changed := range map[string]*httptest.ResponseRecorder{
		"another range":  again(address+"&interval=week", "Authorization", numbers),
		"another format": again(address+"&format=csv", "Authorization", numbers),
		"another key":    again(address, "Authorization", keyFor(t, pool, []string{"soho"}, key.ReadReports)),
	} {
		if changed.Code != http.StatusOK {
			t.Errorf("%s: %d", name, changed.Code)
		}
	}
	if _, err := pool.Exec(t.Context(), "update spaces set version = version + 1 where space = 'soho'"); err != nil {
		t.Fatal(err)
	}
	if got := again(address, "Authorization", numbers); got.Code != http.StatusOK {
		t.Errorf("after an event: %d", got.Code)
	}
}

// Who reads about persons is written down, before the answer goes out.
func TestWhoReadsAboutPersonsIsKept(t *testing.T) {
	t.Parallel()
	handler, pool := guarded(t, func(*api.Config) {})
	persons := keyFor(t, pool, nil, key.ReadMembers)
	for _, r := range report.Catalogue {
		if r.Personal {
			ask(handler, http.MethodGet, "/api/v1/reports/"+r.Name+"?space=soho", "Authorization", persons)
		}
	}
	ask(handler, http.MethodGet, "/api/reports/user_visits", "Authorization", persons)
	ask(handler, http.MethodGet, "/api/v1/reports/daily_usage", "Authorization", keyFor(t, pool, nil, key.ReadReports))
	var readers, reads int
	if err := pool.QueryRow(t.Context(), "select count(distinct reader), count(*) from app.personal_reads").Scan(&readers, &reads); err != nil {
		t.Fatal(err)
	}
	want := 1
	for _, r := range report.Catalogue {
		if r.Personal {
			want++
		}
	}
	if readers != 1 || reads != want {
		t.Errorf("%d reads of %d readers are kept, not %d", reads, readers, want)
	}
	if _, err := pool.Exec(t.Context(), "drop table app.personal_reads"); err != nil {
		t.Fatal(err)
	}
	if got := ask(handler, http.MethodGet, "/api/reports/user_visits", "Authorization", persons); got.Code != http.StatusInternalServerError {
		t.Errorf("what cannot be written down is answered: %d", got.Code)
	}
}

func TestAKeyMayAskSoOften(t *testing.T) {
	t.Parallel()
	now := noon
	handler, pool := guarded(t, func(c *api.Config) {
		c.Rate, c.Now = api.Rate{PerSecond: 0.5, Burst: 3}, func() time.Time { return now }
	})
	numbers, others := keyFor(t, pool, nil, key.ReadReports), keyFor(t, pool, nil, key.ReadReports)
	for i, left := range []string{"2", "1", "0"} {
		got := ask(handler, http.MethodGet, "/api/v1/reports", "Authorization", numbers)
		if got.Code != http.StatusOK || got.Header().Get("Ratelimit-Remaining") != left || got.Header().Get("Ratelimit-Limit") != "3" {
			t.Errorf("question %d: %d %v", i+1, got.Code, got.Header())
		}
	}
	refused := ask(handler, http.MethodGet, "/api/v1/reports", "Authorization", numbers)
	if p := problem(t, refused); p.Code != "too_many_requests" || p.Status != http.StatusTooManyRequests {
		t.Errorf("%+v", p)
	}
	if got := refused.Header(); got.Get("Retry-After") != "2" || got.Get("Ratelimit-Reset") != "6" {
		t.Errorf("%v", got)
	}
	if got := ask(handler, http.MethodGet, "/api/v1/reports", "Authorization", others); got.Code != http.StatusOK {
		t.Errorf("another key pays for it: %d", got.Code)
	}
	now = now.Add(2 * time.Second)
	if got := ask(handler, http.MethodGet, "/api/v1/reports", "Authorization", numbers); got.Code != http.StatusOK {
		t.Errorf("after Retry-After: %d", got.Code)
	}
}
