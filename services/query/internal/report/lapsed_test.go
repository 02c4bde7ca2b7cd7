package report_test

import (
	"cmp"
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

func TestLapsedIsAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		"lapsed_at_risk": {noon, "lapsed", "state=at_risk&state=watch"},
		"lapsed_page":    {noon, "lapsed", "limit=2"},
	})
}

// Who stays away is what plain loops find over made-up habits.
func TestLapsedAgreesWithPlainLoops(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	rapid.Check(t, func(t *rapid.T) {
		if err := empty(pool); err != nil {
			t.Fatal(err)
		}
		today := time.Date(2026, 3, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 6).Draw(t, "today"))
		var people []regular
		for i := range rapid.IntRange(1, 6).Draw(t, "members") {
			p := regular{name: string(rune('a' + i)), plan: rapid.SampledFrom([]string{"", "flex", "desk"}).Draw(t, "plan"), days: map[string]bool{}}
			every := rapid.IntRange(1, 20).Draw(t, "every")
			first := rapid.IntRange(0, 250).Draw(t, "first")
			last := rapid.IntRange(0, first).Draw(t, "last")
			for ago := first; ago >= last; ago -= every {
				p.days[text(today.AddDate(0, 0, -ago))] = true
			}
			people = append(people, p)
		}
		load(t, pool, func(ctx context.Context, conn *pgx.Conn) error {
			batch := &pgx.Batch{}
			batch.Queue(`insert into said values ('main', '2025-01-01Z', '{"time_zone": "UTC", "opening_hours": {
			  "mon": ["08:00", "20:00"], "tue": ["08:00", "20:00"], "wed": ["08:00", "20:00"], "sat": ["08:00", "20:00"]}}')`)
			batch.Queue(`insert into told (space, kind, at) values ('main', 'heartbeat', '2025-01-02Z')`)
			for _, p := range people {
				if p.plan != "" {
					batch.Queue(`insert into known (member, plan) values ($1, $2)`, p.name, p.plan)
				}
				for day := range p.days {
					batch.Queue(`insert into stayed (space, day, member, in_at, out_at, ended)
					  values ('main', $1::date, $2, $1::date + '9 hours'::interval, $1::date + '10 hours'::interval, 'explicit')`, day, p.name)
				}
			}
			return conn.SendBatch(ctx, batch).Close()
		})
		hold(t, report.NewReader(pool), "lapsed", url.Values{}, today.Add(15*time.Hour), lapsedOf(people, today))
	})
}

// regular is a member and the days of their visits.
type regular struct {
	name, plan string
	days       map[string]bool
}

func openThen(d time.Time) bool {
	return slices.Contains([]time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Saturday}, d.Weekday())
}

// gaps is the open days between visits since a day, and since the last one.
func (r regular) gaps(today time.Time) (gaps []float64, since float64, visits, recent, before int) {
	counting := false
	for ago := 300; ago >= 0; ago-- {
		d := today.AddDate(0, 0, -ago)
		if openThen(d) {
			since++
		}
		if !r.days[text(d)] {
			continue
		}
		if ago < 180 {
			visits++
			if counting {
				gaps = append(gaps, since)
			}
			counting = true
		}
		since = 0
		switch {
		case ago < 28:
			recent++
		case ago < 112:
			before++
		}
	}
	slices.Sort(gaps)
	return gaps, since, visits, recent, before
}

func lapsedOf(people []regular, today time.Time) []row {
	own := map[string]float64{}
	var all []float64
	plans := map[string][]float64{}
	for _, p := range people {
		if gaps, _, visits, _, _ := p.gaps(today); visits >= 4 {
			own[p.name] = between(gaps, 0.8)
			all = append(all, own[p.name])
			plans[p.plan] = append(plans[p.plan], own[p.name])
		}
	}
	slices.Sort(all)
	var rows []row
	for _, p := range people {
		_, since, _, recent, before := p.gaps(today)
		expected, baseline := math.NaN(), "own"
		same := plans[p.plan]
		slices.Sort(same)
		switch gap, has := own[p.name]; {
		case has:
			expected = gap
		case p.plan != "" && len(same) > 0:
			expected, baseline = between(same, 0.5), "plan"
		case len(all) > 0:
			expected, baseline = between(all, 0.5), "all"
		}
		r := row{
			"member": p.name, "since_last_open_days": since, "visit_days_28": float64(recent), "visit_days_prev": round(float64(before) / 3),
			"ratio": nil, "expected_gap": nil, "baseline": nil,
		}
		ratio := 0.0
		if !math.IsNaN(expected) {
			ratio = since / max(expected, 3)
			r["ratio"], r["expected_gap"], r["baseline"] = round(ratio), round(expected), baseline
		}
		switch {
		case ratio >= 4 || since >= 45:
			r["state"] = "lapsed"
		case ratio >= 2.5:
			r["state"] = "at_risk"
		case ratio >= 1.5:
			r["state"] = "watch"
		case before > 0 && float64(recent) <= float64(before)/3/2:
			r["state"] = "fading"
		default:
			continue
		}
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		one, known := a["ratio"].(float64)
		other, too := b["ratio"].(float64)
		switch {
		case !known && !too:
			return 0
		case !known:
			return 1
		case !too:
			return -1
		}
		return cmp.Compare(other, one)
	})
	return rows
}
