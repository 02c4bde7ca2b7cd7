package report_test

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"coworking/services/query/internal/report"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// The lengths and what they come to are in testdata/dwell.sql.
func TestDwellIsAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		// Flex: Ada 60 and 480, and her 2 minutes; Eve. Desk: Ben 120 and today, and Dev's 3,
		// who said so at the door. Cem has no plan, and who has no name has none either.
		"dwell_by_plan": {noon, "dwell", "from=2026-03-30&to=2026-04-01&group_by=plan"},
		// Annex: 480, and 240 that were never measured. Cellar: nothing is known.
		"dwell_by_space": {noon, "dwell", "from=2026-03-30&to=2026-04-01&group_by=space&include_estimated=true"},
		// Acme is Ada and Ben: 60, 120 and 480, and 2. Up to ten in the morning nobody of
		// Berlin had left but who stayed for 2 and 3 minutes.
		"dwell_of_a_team": {noon, "dwell", "from=2026-03-30&to=2026-04-01&team=acme"},
		"dwell_at_ten":    {time.Date(2026, 3, 30, 8, 0, 0, 0, time.UTC), "dwell", "period=today&space=berlin"},
	})
}

// How long visits were is what plain loops over them say.
func TestDwellAgreesWithPlainLoops(t *testing.T) {
	t.Parallel()
	ofMadeUpWorlds(t, 3, func(t *rapid.T, reader *report.Reader, _ *world, q question) {
		query := q.query()
		query.Del("interval")
		estimated := rapid.Bool().Draw(t, "include_estimated")
		query.Set("include_estimated", strconv.FormatBool(estimated))

		whole := q.dwell(estimated)
		holdTotals(t, reader, "dwell", query, q.asOf, whole)
		whole["group"] = "all"
		hold(t, reader, "dwell", query, q.asOf, []row{whole})

		query.Set("group_by", "space")
		var rows []row
		for _, s := range q.sites {
			only := q.dwellOf(s, estimated)
			only["group"] = s.name
			rows = append(rows, only)
		}
		hold(t, reader, "dwell", query, q.asOf, rows)
	})
}

// holdTotals holds a report's totals against others.
func holdTotals(t *rapid.T, reader *report.Reader, name string, query url.Values, asOf time.Time, want row) {
	r, err := report.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := reader.Answer(context.Background(), report.Question{Report: r, Query: query, AsOf: asOf})
	if err != nil {
		t.Fatalf("%s?%s: %v", name, query.Encode(), err)
	}
	if diff := cmp.Diff(want, decoded[row](t, answer.Totals), cmpopts.EquateApprox(0, 2e-6)); diff != "" {
		t.Fatalf("totals of %s?%s as of %s (-oracle +report):\n%s", name, query.Encode(), asOf, diff)
	}
}

func (q question) dwell(estimated bool) row { return q.dwellIn(q.sites, estimated) }

func (q question) dwellOf(s *site, estimated bool) row { return q.dwellIn([]*site{s}, estimated) }

// dwellIn is the figures of some of the question's sites: its dates are those of all.
func (q question) dwellIn(sites []*site, includeEstimated bool) row {
	alive := false
	var measured, all []float64
	var transient, open, explicit, ended float64
	steps := make([]float64, 11)
	edges := []float64{0, 3, 15, 30, 60, 120, 180, 240, 360, 480, 720}
	for _, s := range sites {
		for _, date := range q.dates() {
			alive = alive || q.alive(s, date)
		}
		for _, v := range s.visits {
			date, in := q.asked(s, v.in)
			if !in || !q.alive(s, date) {
				continue
			}
			if v.out.After(q.asOf) {
				open++
				continue
			}
			minutes := v.out.Sub(v.in).Minutes() - v.away[1].Sub(v.away[0]).Minutes()
			ended++
			if minutes >= 3 {
				all = append(all, minutes)
			}
			if !v.explicit {
				continue
			}
			explicit++
			if minutes >= 3 {
				measured = append(measured, minutes)
			} else {
				transient++
			}
			step := 0
			for step+1 < len(edges) && minutes >= edges[step+1] {
				step++
			}
			steps[step]++
		}
	}
	known := func(n float64) any {
		if !alive {
			return nil
		}
		return n
	}
	r := row{"measured_share": nil, "transient": known(transient), "open": known(open)}
	if ended > 0 {
		r["measured_share"] = explicit / ended
	}
	describeLengths(r, measured, known)
	histogram := make([]any, len(edges))
	for i := range edges {
		step := row{"from_min": edges[i], "to_min": nil, "n": known(steps[i])}
		if i+1 < len(edges) {
			step["to_min"] = edges[i+1]
		}
		histogram[i] = step
	}
	r["histogram"] = histogram
	with := row{"n": nil, "p25_min": nil, "p50_min": nil, "p75_min": nil, "p90_min": nil, "mean_min": nil}
	if includeEstimated {
		describeLengths(with, all, known)
	}
	r["with_estimated"] = with
	return r
}

// describeLengths notes how many lengths there are, what share of them is under which,
// and their mean.
func describeLengths(r row, lengths []float64, known func(float64) any) {
	r["n"] = known(float64(len(lengths)))
	r["mean_min"] = nil
	if len(lengths) > 0 {
		var sum float64
		for _, length := range lengths {
			sum += length
		}
		r["mean_min"] = sum / float64(len(lengths))
	}
	for name, percent := range map[string]int{"p25_min": 25, "p50_min": 50, "p75_min": 75, "p90_min": 90} {
		r[name] = under(lengths, percent)
	}
}

// under is what so many percent of some numbers are under: the least and the most are
// at 0 and 100, and the others as far apart as they are many.
func under(numbers []float64, percent int) any {
	if len(numbers) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(numbers))
	walked := percent * (len(sorted) - 1)
	at := sorted[walked/100]
	if rest := walked % 100; rest > 0 {
		at += (sorted[walked/100+1] - at) * float64(rest) / 100
	}
	return at
}
