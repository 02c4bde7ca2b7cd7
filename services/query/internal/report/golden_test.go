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
		Open:    true, LegacyOpen: true,
		AtOnce: 1, Patience: time.Second, Timeout: 30 * time.Second,
	})
}

func ask(handler http.Handler, address string) *httptest.ResponseRecorder {
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/api/v1/reports/"+address, nil))
	return response
}

func TestReportsAreAsAddedUpByHand(t *testing.T) {
	pool := pgtest.New(t)
	loadWorld(t, pool)
	later := time.Date(2026, 10, 25, 12, 0, 0, 0, time.UTC)
	cases := map[string]struct {
		at            time.Time
		report, query string
	}{
		"daily_usage":            {noon, "daily_usage", "from=2026-03-27&to=2026-04-02"},
		"daily_usage_berlin":     {noon, "daily_usage", "from=2026-03-27&to=2026-04-02&space=berlin"},
		"daily_usage_in_utc":     {noon, "daily_usage", "from=2026-03-27&to=2026-04-02&tz=UTC"},
		"daily_usage_by_week":    {noon, "daily_usage", "from=2026-03-27&to=2026-04-02&interval=week"},
		"daily_usage_of_a_while": {noon, "daily_usage", "from=2026-03-30T07:31:00Z&to=2026-03-30T09:05:00Z&space=berlin"},

		"hourly_usage":         {noon, "hourly_usage", "from=2026-03-31&to=2026-04-01&space=berlin"},
		"hourly_usage_spring":  {noon, "hourly_usage", "from=2026-03-29&to=2026-03-30&space=berlin"},
		"hourly_usage_autumn":  {later, "hourly_usage", "from=2026-10-25&to=2026-10-26&space=berlin&interval=15m"},
		"hourly_usage_of_all":  {noon, "hourly_usage", "from=2026-03-29&to=2026-03-31"},
		"hourly_usage_in_utc":  {noon, "hourly_usage", "from=2026-03-30&to=2026-03-31&tz=UTC"},
		"unique_members":       {noon, "unique_members", "from=2026-03-27&to=2026-04-02"},
		"unique_members_month": {noon, "unique_members", "from=2026-03-01&to=2026-05-01&interval=month&tz=Asia/Kathmandu"},

		"occupancy_peak":        {noon, "occupancy_peak", "from=2026-03-27&to=2026-04-02&space=berlin&space=kathmandu"},
		"occupancy_peak_no_cap": {noon, "occupancy_peak", "from=2026-03-27&to=2026-04-02"},
		"occupancy_peak_in_utc": {noon, "occupancy_peak", "from=2026-03-27&to=2026-04-02&tz=UTC&space=kathmandu"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			handler := serve(pool, c.at)
			for _, suffix := range []string{"json", "csv"} {
				response := ask(handler, c.report+"."+suffix+"?"+c.query)
				if response.Code != http.StatusOK {
					t.Fatalf("%d: %s", response.Code, response.Body)
				}
				golden(t, filepath.Join("testdata", "golden", name+"."+suffix), response.Body.String())
			}
		})
	}
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
