package report_test

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"coworking/pkg/pgtest"
	"coworking/services/query/internal/access"
	"coworking/services/query/internal/api"
	"coworking/services/query/internal/legacy"
	"coworking/services/query/internal/report"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

var update = flag.Bool("update", false, "rewrite the golden files; the diff is the review")

// noon is when the world of testdata/world.sql is looked at: 14:00 in Berlin,
// 08:00 in New York, 17:45 in Kathmandu.
var noon = time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)

// serve is the API over a database, at an instant.
func serve(pool *pgxpool.Pool, now time.Time) http.Handler {
	return api.New(api.Config{
		Reports: report.NewReader(pool),
		Legacy:  &legacy.Reports{Pool: pool, Zone: time.UTC},
		Log:     zap.NewNop(),
		Metrics: prometheus.NewRegistry(),
		Ops:     http.NotFoundHandler(),
		Now:     func() time.Time { return now },
		Audit:   access.Audit{Pool: pool},
		Open:    true, LegacyOpen: true,
		AtOnce: 1, Patience: time.Second, Timeout: 30 * time.Second,
	})
}

func ask(handler http.Handler, address string) *httptest.ResponseRecorder {
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/api/v1/reports/"+address, nil))
	return response
}

// Every report answers the example of its page as that shows it: a world of a few
// visits, which a person can add up.
func TestExamplesAreAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	examples := map[string]asked{}
	for _, r := range report.Catalogue {
		examples[r.Name] = asked{noon, r.Name, r.Example}
	}
	byHand(t, "examples", examples)
}

// asked is a question, and when.
type asked struct {
	at            time.Time
	report, query string
}

// byHand holds answers on the world of testdata/<report>.sql, or of
// testdata/world.sql where a report has none of its own, against golden files in a
// folder. Each was added up by a person once.
func byHand(t *testing.T, folder string, cases map[string]asked) {
	t.Helper()
	worlds := map[string]*pgxpool.Pool{}
	for name, c := range cases {
		world := worldOf(t, worlds, c.report)
		t.Run(name, func(t *testing.T) {
			handler := serve(world, c.at)
			for _, suffix := range []string{"json", "csv"} {
				response := ask(handler, c.report+"."+suffix+"?"+c.query)
				if response.Code != http.StatusOK {
					t.Fatalf("%d: %s", response.Code, response.Body)
				}
				golden(t, filepath.Join(folder, name+"."+suffix), response.Body.String())
			}
		})
	}
}

// worldOf is the database with a report's world, made once a test.
func worldOf(t *testing.T, worlds map[string]*pgxpool.Pool, report string) *pgxpool.Pool {
	t.Helper()
	file := filepath.Join("testdata", report+".sql")
	if _, err := os.Stat(file); err != nil {
		file = filepath.Join("testdata", "world.sql")
	}
	if worlds[file] == nil {
		script, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		worlds[file] = pgtest.New(t)
		loadScript(t, worlds[file], string(script))
	}
	return worlds[file]
}

// golden holds a text against a file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
