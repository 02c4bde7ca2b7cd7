package report_test

import (
	"context"
	"math"
	"net/url"
	"slices"
	"testing"
	"time"

	"coworking/pkg/pgtest"
	"coworking/services/query/internal/report"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

func TestForecastIsAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		"forecast_too_early": {time.Date(2026, 2, 25, 12, 0, 0, 0, time.UTC), "forecast", "horizon=2"},
	})
}

// A forecast is what its words say, in plain loops over a made-up half year.
func TestForecastAgreesWithPlainLoops(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	rapid.Check(t, func(t *rapid.T) {
		if err := empty(pool); err != nil {
			t.Fatal(err)
		}
		today := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 6).Draw(t, "today"))
		life := rapid.IntRange(1, 120).Draw(t, "days of life")
		visits := map[string]int{}
		for i := 1; i <= life; i++ {
			visits[text(today.AddDate(0, 0, -i))] = rapid.IntRange(0, 3).Draw(t, "visits")
		}
		var closures []string
		for range rapid.IntRange(0, 10).Draw(t, "closures") {
			closures = append(closures, text(today.AddDate(0, 0, rapid.IntRange(-60, 10).Draw(t, "closed"))))
		}
		load(t, pool, func(ctx context.Context, conn *pgx.Conn) error {
			batch := &pgx.Batch{}
			batch.Queue(`insert into said values ('main', '2025-01-01Z', $1)`, map[string]any{"time_zone": "UTC", "closures": closures})
			batch.Queue(`insert into told (space, kind, at) values ('main', 'heartbeat', $1)`, today.AddDate(0, 0, -life))
			for day, n := range visits {
				batch.Queue(`insert into stayed (space, day, member, in_at, out_at, ended)
				  select 'main', $1::date, 'm' || n, $1::date + '9 hours'::interval, $1::date + '10 hours'::interval, 'explicit' from generate_series(1, $2::int) n`, day, n)
			}
			return conn.SendBatch(ctx, batch).Close()
		})
		f := foresight{today: today, visits: visits, born: today.AddDate(0, 0, -life), closures: closures}
		hold(t, report.NewReader(pool), "forecast", url.Values{"horizon": {"9"}}, today.Add(15*time.Hour), f.rows(9))
	})
}

// foresight is the oracle of forecasts.
type foresight struct {
	today, born time.Time
	visits      map[string]int
	closures    []string
}

func (f foresight) open(d time.Time) bool { return !slices.Contains(f.closures, text(d)) }

// expect is the forecast for a day, knowing what was before another.
func (f foresight) expect(d, before time.Time) (expected, trend float64, n int) {
	var same []float64
	for day := d; !day.Before(f.born) && len(same) < 8; day = day.AddDate(0, 0, -7) {
		if day.Before(before) && f.open(day) {
			same = append(same, float64(f.visits[text(day)]))
		}
	}
	slices.Sort(same)
	trend = 1
	if !before.AddDate(0, 0, -56).Before(f.born) {
		var last, earlier float64
		for i := 1; i <= 28; i++ {
			last += float64(f.visits[text(before.AddDate(0, 0, -i))])
			earlier += float64(f.visits[text(before.AddDate(0, 0, -i-28))])
		}
		if earlier > 0 {
			trend = min(max(last/earlier, 0.7), 1.3)
		}
	}
	if len(same) < 4 {
		return 0, trend, len(same)
	}
	return (same[(len(same)-1)/2] + same[len(same)/2]) / 2 * trend, trend, len(same)
}

func (f foresight) rows(horizon int) []row {
	var errors []float64
	var off, naive, all, tested float64
	for d := f.today.AddDate(0, 0, -1); !d.AddDate(0, 0, -7).Before(f.born) && tested < 28; d = d.AddDate(0, 0, -1) {
		expected, _, n := f.expect(d, d)
		if n < 4 || !f.open(d) {
			continue
		}
		actual := float64(f.visits[text(d)])
		tested++
		all += actual
		off += math.Abs(actual - expected)
		naive += math.Abs(actual - float64(f.visits[text(d.AddDate(0, 0, -7))]))
		if expected > 0 {
			errors = append(errors, (actual-expected)/expected)
		}
	}
	slices.Sort(errors)
	test := row{"wape": nil, "naive_wape": nil, "days": tested}
	if all > 0 {
		test["wape"], test["naive_wape"] = round(off/all), round(naive/all)
	}
	var rows []row
	for d := f.today.AddDate(0, 0, 1); horizon > 0; d = d.AddDate(0, 0, 1) {
		expected, trend, n := f.expect(d, f.today)
		r := row{"date": text(d), "visits": nil, "low": nil, "high": nil, "backtest": test, "state": "insufficient_history"}
		if !f.open(d) {
			r["visits"], r["low"], r["high"], r["state"] = 0.0, 0.0, 0.0, "closed"
			rows = append(rows, r)
			continue
		}
		horizon--
		r["basis"] = row{"n": float64(n), "trend": round(trend)}
		if n >= 4 {
			r["visits"], r["state"] = round(expected), "ok"
			if len(errors) > 0 {
				r["low"], r["high"] = round(max(0, expected*(1+between(errors, 0.1)))), round(max(0, expected*(1+between(errors, 0.9))))
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// between is a quantile of sorted values, linear between the closest ranks.
func between(sorted []float64, share float64) float64 {
	at := share * float64(len(sorted)-1)
	low, high := sorted[int(math.Floor(at))], sorted[int(math.Ceil(at))]
	return low + (high-low)*(at-math.Floor(at))
}
