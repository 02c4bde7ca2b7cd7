package report_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"coworking/services/query/internal/report"

	"pgregory.net/rapid"
)

func TestRetentionIsAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		"retention_of_berlin": {noon, "retention", "from=2026-03-02&to=2026-03-09&space=berlin&scope=space"},
		"retention_joined":    {noon, "retention", "from=2026-02-01&to=2026-04-01&cohort=joined&interval=month&tz=Europe/Berlin"},
	})
}

// Who comes again is what plain loops say, in any zone.
func TestRetentionAgreesWithPlainLoops(t *testing.T) {
	t.Parallel()
	ofMadeUpWorlds(t, 4, func(t *rapid.T, reader *report.Reader, w *world, q question) {
		q.fromTime, q.toTime = time.Time{}, time.Time{}
		q.interval = rapid.SampledFrom([]string{"week", "month"}).Draw(t, "steps")
		if q.interval == "week" {
			q.weekStart = rapid.SampledFrom([]time.Weekday{time.Tuesday, time.Sunday}).Draw(t, "weeks begin")
		}
		scope := rapid.SampledFrom([]string{"any", "space"}).Draw(t, "scope")
		query := q.query()
		query.Set("scope", scope)
		query.Set("week_start", strings.ToLower(q.weekStart.String()[:3]))
		judgeRetention(t, reader, query, q, w, scope == "any")
	})
}

func judgeRetention(t *rapid.T, reader *report.Reader, query url.Values, q question, w *world, anywhere bool) {
	today := q.clock(q.sites[0]).day(q.asOf)
	for _, s := range q.sites {
		if d := q.clock(s).day(q.asOf); d.After(today) {
			today = d
		}
	}
	visits := func(sites []*site, member string) (days []time.Time) {
		var at []time.Time
		for _, s := range sites {
			for _, v := range s.visits {
				if v.member == member && !v.in.After(q.asOf) {
					d := v.day
					if q.tz != nil {
						d = q.clock(s).day(v.in)
					}
					days, at = append(days, d), append(at, v.in)
				}
			}
		}
		for i := range at { // the first in time comes first
			if at[i].Before(at[0]) {
				at[0], at[i], days[0], days[i] = at[i], at[0], days[i], days[0]
			}
		}
		return days
	}
	next := func(step time.Time) time.Time {
		if q.interval == "month" {
			return step.AddDate(0, 1, 0)
		}
		return step.AddDate(0, 0, 7)
	}
	var rows []row
	var last time.Time
	for step := q.bucket(q.from); !step.After(today); step = next(step) {
		last = step
	}
	for cohort := q.bucket(q.from); cohort.Before(q.to) && !cohort.After(today); cohort = next(cohort) {
		var size float64
		var periods []any
		k := 0.0
		came := map[time.Time]float64{}
		for _, member := range []string{"ada", "ben", "cem", "dev"} {
			everywhere := q.sites
			if anywhere {
				everywhere = w.sites
			}
			all := visits(everywhere, member)
			if len(all) == 0 || all[0].Before(q.from) || !all[0].Before(q.to) || all[0].After(today) || !q.bucket(all[0]).Equal(cohort) {
				continue
			}
			size++
			seen := map[time.Time]bool{}
			for _, d := range visits(q.sites, member) {
				if step := q.bucket(d); !seen[step] {
					seen[step] = true
					came[step]++
				}
			}
		}
		for step := cohort; ; step = next(step) {
			period := row{"k": k, "n": nil, "pct": nil, "partial": false}
			if !step.After(last) {
				period["n"], period["partial"] = came[step], step.Equal(last)
				if size > 0 {
					period["pct"] = round(came[step] / size * 100)
				}
			}
			periods = append(periods, period)
			k++
			reach := q.bucket(q.from)
			for range int(k) - 1 {
				reach = next(reach)
			}
			if reach.Equal(last) {
				break
			}
		}
		rows = append(rows, row{"cohort": text(cohort), "size": size, "periods": periods})
	}
	hold(t, reader, "retention", query, q.asOf, rows)
}
