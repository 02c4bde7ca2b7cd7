package report_test

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"coworking/pkg/pgtest"
	"coworking/services/query/internal/report"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

func TestStreaksAreAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		"streaks_top":           {noon, "streaks", "top=3"},
		"streaks_of_last_week":  {noon, "streaks", "from=2026-03-01&to=2026-03-30"},
		"streaks_sunday_begins": {noon, "streaks", "week_start=sun"},
	})
}

// Streaks are what somebody finds who looks at every week of every member.
func TestStreaksAgreeWithPlainLoops(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	rapid.Check(t, func(t *rapid.T) {
		if err := empty(pool); err != nil {
			t.Fatal(err)
		}
		first := time.Date(2026, 2, 2, 0, 0, 0, 0, time.UTC) // a Monday
		asOf := first.Add(drawDuration(t, "as of", 60*24*time.Hour))
		closedWeek := first.AddDate(0, 0, 7*rapid.IntRange(1, 7).Draw(t, "closed week"))
		var closures []string
		for i := range 7 {
			closures = append(closures, text(closedWeek.AddDate(0, 0, i)))
		}
		came := map[string][]time.Time{}
		for range rapid.IntRange(1, 40).Draw(t, "visits") {
			member := rapid.SampledFrom([]string{"ada", "ben", "cem"}).Draw(t, "member")
			came[member] = append(came[member], first.AddDate(0, 0, rapid.IntRange(0, 60).Draw(t, "day")))
		}
		load(t, pool, func(ctx context.Context, conn *pgx.Conn) error {
			batch := &pgx.Batch{}
			batch.Queue(`insert into said values ('main', '2026-01-01Z', $1)`, map[string]any{"time_zone": "UTC", "closures": closures})
			batch.Queue(`insert into told (space, kind, at) values ('main', 'heartbeat', '2026-01-02Z')`)
			for member, days := range came {
				for _, day := range days {
					batch.Queue(`insert into stayed (space, day, member, in_at, out_at, ended) values ('main', $1, $2, $3, $4, 'explicit')`,
						day, member, day.Add(9*time.Hour), day.Add(10*time.Hour))
				}
			}
			return conn.SendBatch(ctx, batch).Close()
		})
		weekStart := rapid.SampledFrom([]time.Weekday{time.Monday, time.Wednesday}).Draw(t, "week_start")
		query := url.Values{"week_start": {strings.ToLower(weekStart.String()[:3])}}
		hold(t, report.NewReader(pool), "streaks", query, asOf, streaksOf(came, asOf, weekStart, closures))
	})
}

func streaksOf(came map[string][]time.Time, asOf time.Time, weekStart time.Weekday, closures []string) []row {
	members := map[int]int{}
	for _, days := range came {
		start := asOf.Truncate(24 * time.Hour)
		for start.Weekday() != weekStart {
			start = start.AddDate(0, 0, -1)
		}
		n := 0
		for week := range 20 {
			visited, closed := false, true
			for i := range 7 {
				day := start.AddDate(0, 0, i-7*week)
				for _, d := range days {
					visited = visited || d.Equal(day) && !d.Add(9*time.Hour).After(asOf)
				}
				closed = closed && slices.Contains(closures, text(day))
			}
			if visited {
				n++
			} else if week > 0 && !closed {
				break
			}
		}
		if n > 0 {
			members[n]++
		}
	}
	var rows []row
	for n := 20; n > 0; n-- {
		if members[n] > 0 {
			rows = append(rows, row{"weeks": float64(n), "members": float64(members[n]), "member": nil})
		}
	}
	return rows
}
