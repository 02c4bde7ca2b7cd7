package api_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/pgtest"
	"coworking/services/query/internal/api"
	"coworking/services/query/internal/report"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

var noon = time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)

// old is the old system's reports as they would be read.
type old struct{ err error }

func (o old) DailyUsage(context.Context) ([]byte, error) {
	return []byte(`{"2024-03-24":12}` + "\n"), o.err
}
func (o old) UserVisits(context.Context) ([]byte, error) { return []byte("{}\n"), o.err }
func (o old) Readable(context.Context) error             { return o.err }

// answers is reports as they would be read.
type answers func(context.Context) (report.Answer, error)

func (a answers) Answer(ctx context.Context, _ report.Question) (report.Answer, error) {
	return a(ctx)
}

// Look finds another version each time: nothing is remembered.
func (a answers) Look(context.Context, report.Question, report.Likely) (report.Look, error) {
	return report.Look{Version: rand.Text(), Answer: a}, nil
}

func (a answers) Stands(context.Context, report.Basis, time.Time) (bool, report.Likely, error) {
	return false, report.Likely{}, nil
}

// unread is an audit that nobody reads.
type unread struct{}

func (unread) PersonalRead(context.Context, string, string, string, int) error { return nil }

// serve is a server as on a laptop, with what a test changes.
func serve(change func(*api.Config)) http.Handler {
	c := api.Config{
		Reports: answers(func(context.Context) (report.Answer, error) { return report.Answer{}, nil }),
		Legacy:  old{},
		Log:     zap.NewNop(),
		Metrics: prometheus.NewRegistry(),
		Ops: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, r.URL.Path)
		}),
		Now:   func() time.Time { return noon },
		Audit: unread{},
		Open:  true, LegacyOpen: true,
		AtOnce: 4, Patience: 10 * time.Millisecond, Timeout: 30 * time.Second,
	}
	change(&c)
	return api.New(c)
}

func ask(handler http.Handler, method, address string, header ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, address, nil)
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, request)
	return response
}

// problem is the answer as the problem it should be.
func problem(t *testing.T, response *httptest.ResponseRecorder) api.Problem {
	t.Helper()
	if got := response.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("the media type is %s", got)
	}
	var p api.Problem
	if err := json.Unmarshal(response.Body.Bytes(), &p); err != nil {
		t.Fatalf("%s: %v", response.Body, err)
	}
	if p.Status != response.Code || p.Title == "" || p.Detail == "" {
		t.Errorf("%d says %s", response.Code, response.Body)
	}
	return p
}

func TestBadQuestionsAreRefusedByName(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	if _, err := pool.Exec(t.Context(), `insert into spaces (space) values ('main')`); err != nil {
		t.Fatal(err)
	}
	handler := serve(func(c *api.Config) { c.Reports = report.NewReader(pool) })
	cases := map[string]struct {
		query     string
		status    int
		code      string
		parameter string
	}{
		"from after to":                   {"daily_usage?from=2026-03-02&to=2026-03-01", 400, "invalid_range", "from"},
		"from is to":                      {"daily_usage?from=2026-03-01&to=2026-03-01", 400, "invalid_range", "from"},
		"an instant that is another":      {"daily_usage?from=2026-03-01T10:00:00Z&to=2026-03-01T11:00:00%2B01:00", 400, "invalid_range", "from"},
		"more than five years":            {"daily_usage?from=2020-03-01&to=2025-03-02", 400, "range_too_large", "from"},
		"a limit of nothing":              {"daily_usage?limit=0", 400, "invalid_limit", "limit"},
		"a limit below nothing":           {"daily_usage?limit=-1", 400, "invalid_limit", "limit"},
		"a limit without end":             {"daily_usage?limit=1e9", 400, "invalid_limit", "limit"},
		"a limit above the most":          {"daily_usage?limit=1001", 400, "invalid_limit", "limit"},
		"a limit in words":                {"daily_usage?limit=x", 400, "invalid_limit", "limit"},
		"two limits":                      {"daily_usage?limit=1&limit=2", 400, "invalid_limit", "limit"},
		"a zone that does not exist":      {"daily_usage?tz=Mars/Olympus", 400, "invalid_time_zone", "tz"},
		"an offset as a zone":             {"daily_usage?tz=%2B02:00", 400, "invalid_time_zone", "tz"},
		"the machine's own zone":          {"daily_usage?tz=Local", 400, "invalid_time_zone", "tz"},
		"a parameter nobody knows":        {"daily_usage?form=2026-03-01", 400, "unknown_parameter", "form"},
		"a parameter in capitals":         {"daily_usage?From=2026-03-01", 400, "unknown_parameter", "From"},
		"30 February":                     {"daily_usage?from=2026-02-30", 400, "invalid_value", "from"},
		"a date in words":                 {"daily_usage?to=tomorrow", 400, "invalid_value", "to"},
		"an empty value":                  {"daily_usage?from=", 400, "invalid_value", "from"},
		"a period nobody knows":           {"daily_usage?period=fortnight", 400, "invalid_value", "period"},
		"a period beside a date":          {"daily_usage?period=7d&from=2026-03-01", 400, "invalid_value", "period"},
		"an interval of another report":   {"daily_usage?interval=hour", 400, "invalid_value", "interval"},
		"a week that begins nowhere":      {"daily_usage?week_start=xxx", 400, "invalid_value", "week_start"},
		"a format nobody knows":           {"daily_usage?format=xml", 400, "invalid_value", "format"},
		"a format beside another suffix":  {"daily_usage.csv?format=json", 400, "invalid_value", "format"},
		"a cursor that is none":           {"user_visits?cursor=xyz", 400, "invalid_cursor", "cursor"},
		"a cursor of another question":    {"user_visits?cursor=eyJxIjoiYSIsInIiOjEsIm4iOjF9", 400, "invalid_cursor", "cursor"},
		"a cursor where no list is":       {"daily_usage?cursor=xyz", 400, "unknown_parameter", "cursor"},
		"a group nobody knows":            {"daily_usage?group_by=colour", 400, "invalid_value", "group_by"},
		"an earlier range nobody knows":   {"daily_usage?compare=yesterday", 400, "invalid_value", "compare"},
		"half a true":                     {"dwell?include_estimated=yes", 400, "invalid_value", "include_estimated"},
		"an order nobody knows":           {"user_visits?sort=beauty", 400, "invalid_value", "sort"},
		"fifteen open days":               {"forecast?horizon=15", 400, "invalid_value", "horizon"},
		"a filter that is empty":          {"daily_usage?plan=", 400, "invalid_value", "plan"},
		"a query that cannot be read":     {"daily_usage?from=%zz", 400, "invalid_value", ""},
		"a space that does not exist":     {"daily_usage?space=nowhere", 404, "space_not_found", "space"},
		"one of two that does not":        {"daily_usage?space=main&space=nowhere", 404, "space_not_found", "space"},
		"a space that could never exist":  {"daily_usage?space=a.%3E", 404, "space_not_found", "space"},
		"a space with a NUL in its name":  {"daily_usage?space=a%00", 404, "space_not_found", "space"},
		"the space of events without one": {"daily_usage?space=_", 404, "space_not_found", "space"},
		"a report that does not exist":    {"weekly_usage", 404, "report_not_found", ""},
		"a suffix nobody knows":           {"daily_usage.xlsx", 404, "report_not_found", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			response := ask(handler, http.MethodGet, "/api/v1/reports/"+c.query)
			p := problem(t, response)
			want := api.Problem{Status: c.status, Code: c.code, Parameter: c.parameter}
			if diff := cmp.Diff(want, api.Problem{Status: p.Status, Code: p.Code, Parameter: p.Parameter}); diff != "" {
				t.Errorf("(-want +got):\n%s\n%s", diff, p.Detail)
			}
			for _, word := range []string{"SQLSTATE", "select", "pgx", "strconv", "parsing time", "report.", "0x"} {
				if strings.Contains(response.Body.String(), word) {
					t.Errorf("it says %q: %s", word, response.Body)
				}
			}
		})
	}
}

func TestGoodQuestionsAreAnswered(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	if _, err := pool.Exec(t.Context(), `insert into spaces (space) values ('main'), ('_')`); err != nil {
		t.Fatal(err)
	}
	handler := serve(func(c *api.Config) { c.Reports = report.NewReader(pool) })
	for _, r := range report.Catalogue {
		for _, query := range []string{
			"", "?period=today", "?period=yesterday", "?period=7d", "?period=90d", "?period=12mo", "?period=wtd", "?period=mtd", "?period=ytd",
			"?period=all", "?limit=1000", "?space=main&space=main", "?from=2026-03-01", "?to=2026-03-01", "?from=2021-03-01&to=2026-03-01&tz=UTC",
			"?from=2026-03-01T10:00:00+01:00&to=2026-03-01T10:00:00.000001%2B01:00", "?tz=Asia/Kathmandu&week_start=sun",
		} {
			response := ask(handler, http.MethodGet, "/api/v1/reports/"+r.Name+query)
			if response.Code != http.StatusOK {
				t.Errorf("%s%s: %d %s", r.Name, query, response.Code, response.Body)
			}
		}
	}
	var body struct {
		Data []map[string]any
		Meta struct {
			From, To, TZ string
			Filters      map[string][]string
		}
	}
	if err := json.Unmarshal(ask(handler, http.MethodGet, "/api/v1/reports/daily_usage").Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	if len(body.Data) != 28 || body.Meta.From != "2026-03-04" || body.Meta.To != "2026-04-01" || body.Meta.TZ != "UTC" {
		t.Errorf("by default it is %d days, %+v", len(body.Data), body.Meta)
	}
}

type saidRow struct {
	Member string `json:"member"`
	Visits int64  `json:"visits"`
}

func TestFormats(t *testing.T) {
	handler := serve(func(*api.Config) {})
	cases := map[string]struct{ address, accept, want string }{
		"JSON by default":                   {"daily_usage", "", "application/json"},
		"JSON to a browser":                 {"daily_usage", "text/html,application/xhtml+xml,*/*;q=0.8", "application/json"},
		"by suffix":                         {"daily_usage.csv", "application/json", "text/csv; charset=utf-8"},
		"by parameter":                      {"daily_usage?format=csv", "application/json", "text/csv; charset=utf-8"},
		"by Accept":                         {"daily_usage", "text/csv", "text/csv; charset=utf-8"},
		"by what Accept likes best":         {"daily_usage", "application/json;q=0.5, application/x-ndjson", "application/x-ndjson"},
		"by suffix and parameter alike":     {"daily_usage.ndjson?format=ndjson", "", "application/x-ndjson"},
		"an Accept header of no sense":      {"daily_usage", "csv;;;", "application/json"},
		"nothing that we have is JSON, too": {"daily_usage", "image/png", "application/json"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			response := ask(handler, http.MethodGet, "/api/v1/reports/"+c.address, "Accept", c.accept)
			if got := response.Header().Get("Content-Type"); got != c.want || response.Code != http.StatusOK {
				t.Errorf("%d %s, want %s", response.Code, got, c.want)
			}
		})
	}
}

func TestCSVIsSafeToOpen(t *testing.T) {
	columns := report.ColumnsOf[struct {
		Member string `json:"member" doc:"who"`
		Visits int64  `json:"visits" doc:"how often"`
	}]()
	names := []string{`=HYPERLINK("https://example.org","x")`, "+1", "-1", "@sum", "\tx", "＝1", "ada", `a,"b"`, "Ünal", ""}
	handler := serve(func(c *api.Config) {
		c.Reports = answers(func(context.Context) (report.Answer, error) {
			a := report.Answer{Columns: columns, Meta: report.Meta{Report: "user_visits", From: "2026-03-01T10:00:00Z", To: "2026-04-01"}}
			for _, name := range names {
				a.Rows = append(a.Rows, &saidRow{name, -3})
			}
			return a, nil
		})
	})
	response := ask(handler, http.MethodGet, "/api/v1/reports/daily_usage.csv")
	if lines := strings.Count(response.Body.String(), "\r\n"); lines != len(names)+1 {
		t.Errorf("%d lines end as RFC 4180 says", lines)
	}
	records, err := csv.NewReader(bytes.NewReader(response.Body.Bytes())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"member", "visits"}}
	for _, cell := range []string{`'=HYPERLINK("https://example.org","x")`, "'+1", "'-1", "'@sum", "'\tx", "'＝1", "ada", `a,"b"`, "Ünal", ""} {
		want = append(want, []string{cell, "-3"})
	}
	if diff := cmp.Diff(want, records); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := response.Header().Get("Content-Disposition"); got != "attachment; filename=user_visits_2026-03-01T100000Z_2026-04-01.csv" {
		t.Errorf("the file is %s", got)
	}
}

func TestWithoutAKeyNothingIsToldElsewhere(t *testing.T) {
	handler := serve(func(c *api.Config) { c.Open, c.LegacyOpen = false, false })
	for _, refused := range []string{
		"GET /api/v1/reports", "GET /api/v1/reports/daily_usage", "HEAD /api/v1/reports/daily_usage", "GET /api/v1/reports/nothing", "GET /api/v1/reports/roll_call.html",
		"POST /api/v1/reports/daily_usage", "GET /api/v1/nothing", "GET /api/v1/", "GET /api/v1", "GET /api/reports/user_visits",
		"HEAD /api/reports/user_visits",
	} {
		t.Run(refused, func(t *testing.T) {
			method, address, _ := strings.Cut(refused, " ")
			response := ask(handler, method, address)
			if response.Code != http.StatusUnauthorized || response.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%d %v %s", response.Code, response.Header(), response.Body)
			}
			if p := problem(t, response); p.Code != "unauthenticated" {
				t.Errorf("it says %s", p.Code)
			}
		})
	}
	for _, open := range []string{"/", "/livez", "/readyz", "/metrics", "/health_check", "/readiness_check", "/api/reports/daily_usage"} {
		if response := ask(handler, http.MethodGet, open); response.Code != http.StatusOK {
			t.Errorf("%s: %d", open, response.Code)
		}
	}
}

func TestTheOldAddresses(t *testing.T) {
	well, broken := serve(func(*api.Config) {}), serve(func(c *api.Config) { c.Legacy = old{errors.New("down")} })
	const words, object = "text/html; charset=utf-8", "application/json"
	type answer struct {
		Status              int
		Type, Length, Allow string
		Body                string
	}
	cases := map[string]struct {
		handler http.Handler
		method  string
		address string
		want    answer
	}{
		"daily usage":                  {well, "GET", "/api/reports/daily_usage", answer{200, object, "18", "", "{\"2024-03-24\":12}\n"}},
		"parameters are ignored":       {well, "GET", "/api/reports/daily_usage?from=never", answer{200, object, "18", "", "{\"2024-03-24\":12}\n"}},
		"what the client accepts, too": {well, "GET", "/api/reports/user_visits?format=csv", answer{200, object, "3", "", "{}\n"}},
		"its options":                  {well, "OPTIONS", "/api/reports/daily_usage", answer{200, words, "0", "GET, HEAD, OPTIONS", ""}},
		"health":                       {well, "GET", "/health_check", answer{200, words, "2", "", "ok"}},
		"health without a database":    {broken, "GET", "/health_check", answer{200, words, "2", "", "ok"}},
		"readiness":                    {well, "GET", "/readiness_check", answer{200, words, "2", "", "ok"}},
		"readiness without a database": {broken, "GET", "/readiness_check", answer{500, words, "6", "", "failed"}},
		"the options of health":        {well, "OPTIONS", "/health_check", answer{200, words, "0", "GET, HEAD, OPTIONS", ""}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := ask(c.handler, c.method, c.address)
			got := answer{r.Code, r.Header().Get("Content-Type"), r.Header().Get("Content-Length"), r.Header().Get("Allow"), r.Body.String()}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}

	t.Run("HEAD over a real connection has the length and no body", func(t *testing.T) {
		server := httptest.NewServer(well)
		defer server.Close()
		response, err := server.Client().Head(server.URL + "/api/reports/daily_usage")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK || response.ContentLength != 18 {
			t.Errorf("%d, %d bytes", response.StatusCode, response.ContentLength)
		}
	})
	for _, address := range []string{"/api/reports/daily_usage", "/api/reports/user_visits", "/health_check", "/readiness_check"} {
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"} {
			r := ask(well, method, address)
			if r.Code != http.StatusMethodNotAllowed || !strings.Contains(r.Header().Get("Allow"), "GET") {
				t.Errorf("%s %s: %d, Allow: %q", method, address, r.Code, r.Header().Get("Allow"))
			}
		}
		if r := ask(well, "GET", address+"/"); r.Code != http.StatusNotFound {
			t.Errorf("%s/: %d", address, r.Code)
		}
	}
}

func TestFaultsOfOursAreNotTold(t *testing.T) {
	cases := map[string]struct {
		err    error
		status int
		code   string
	}{
		"the database is away":          {fault.Unavailable.Errorf("dial tcp 10.1.2.3:5432: secret"), 503, "unavailable"},
		"a statement is wrong":          {fault.Internal.Errorf(`ERROR: secret (SQLSTATE 42703)`), 500, "internal"},
		"the database refuses a value":  {fault.Invalid.Errorf(`ERROR: secret (SQLSTATE 22021)`), 500, "internal"},
		"nobody said what it is":        {errors.New("secret"), 500, "internal"},
		"a code of another house":       {fault.Invalid.With("future", "/time", "secret"), 500, "internal"},
		"a known code on our own fault": {fault.Internal.With("invalid_value", "x", "secret"), 500, "internal"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			core, logs := observer.New(zap.ErrorLevel)
			handler := serve(func(s *api.Config) {
				s.Log = zap.New(core)
				s.Reports = answers(func(context.Context) (report.Answer, error) { return report.Answer{}, c.err })
			})
			response := ask(handler, http.MethodGet, "/api/v1/reports/daily_usage")
			if p := problem(t, response); p.Status != c.status || p.Code != c.code || strings.Contains(response.Body.String(), "secret") {
				t.Errorf("it says %s", response.Body)
			}
			if retry := response.Header().Get("Retry-After"); (retry != "") != (c.status == http.StatusServiceUnavailable) {
				t.Errorf("Retry-After is %q", retry)
			}
			if logs.Len() != 1 {
				t.Errorf("logged %d times", logs.Len())
			}
		})
	}
}

func TestAPanicIsOneAnswerOnly(t *testing.T) {
	core, logs := observer.New(zap.ErrorLevel)
	handler := serve(func(c *api.Config) {
		c.Log = zap.New(core)
		c.Reports = answers(func(context.Context) (report.Answer, error) { panic("secret") })
	})
	response := ask(handler, http.MethodGet, "/api/v1/reports/daily_usage")
	if p := problem(t, response); p.Code != "internal" || strings.Contains(response.Body.String(), "secret") {
		t.Errorf("it says %s", response.Body)
	}
	if logs.FilterMessage("panic").Len() != 1 {
		t.Errorf("logged: %v", logs.All())
	}
}

func TestTooManyQuestionsAreTurnedAway(t *testing.T) {
	asked, answered := make(chan struct{}), make(chan struct{})
	handler := serve(func(c *api.Config) {
		c.AtOnce = 2
		c.Reports = answers(func(context.Context) (report.Answer, error) {
			asked <- struct{}{}
			<-answered
			return report.Answer{}, nil
		})
	})
	done := make(chan int, 2)
	for range 2 {
		go func() { done <- ask(handler, http.MethodGet, "/api/v1/reports/daily_usage").Code }()
		<-asked
	}
	response := ask(handler, http.MethodGet, "/api/reports/daily_usage")
	if p := problem(t, response); p.Code != "overloaded" || p.Status != 503 || response.Header().Get("Retry-After") == "" {
		t.Errorf("a third question: %s", response.Body)
	}
	if code := ask(handler, http.MethodGet, "/health_check").Code; code != http.StatusOK {
		t.Errorf("a probe: %d", code)
	}
	close(answered)
	if codes := []int{<-done, <-done}; !slices.Equal(codes, []int{200, 200}) {
		t.Errorf("the first two: %v", codes)
	}
}

func TestTheLandingPageNamesEveryReport(t *testing.T) {
	response := ask(serve(func(*api.Config) {}), http.MethodGet, "/")
	for _, r := range report.Catalogue {
		if !strings.Contains(response.Body.String(), `href="/api/v1/reports/`+r.Name+`"`) {
			t.Errorf("%s is not there", r.Name)
		}
	}
	if response.Header().Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(response.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("its headers are %v", response.Header())
	}
}

func TestTheListNamesEveryColumn(t *testing.T) {
	var list struct {
		Data []struct {
			Name    string
			Columns []string
		}
	}
	response := ask(serve(func(*api.Config) {}), http.MethodGet, "/api/v1/reports")
	if err := json.Unmarshal(response.Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Data) != len(report.Catalogue) {
		t.Fatalf("%d reports", len(list.Data))
	}
	want := []string{"date", "checkins", "visits", "unique_members", "anonymous_visits", "failed", "visitor_hours", "open", "partial"}
	if diff := cmp.Diff(want, list.Data[0].Columns); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
