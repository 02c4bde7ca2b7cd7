package report_test

import (
	"context"
	"net/url"
	"strconv"
	"testing"
	"time"

	"coworking/services/query/internal/report"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// Who is in, and who may be, is what plain loops over the visits say at any instant.
func TestThePresentAgreesWithPlainLoops(t *testing.T) {
	t.Parallel()
	ofMadeUpWorlds(t, 4, func(t *rapid.T, reader *report.Reader, _ *world, q question) {
		patience := rapid.IntRange(1, 600).Draw(t, "stale_after")
		query := url.Values{"stale_after": {strconv.Itoa(patience)}}
		for _, s := range q.sites {
			query.Add("space", s.name)
		}
		hold(t, reader, "occupancy_now", query, q.asOf, q.occupancyNow(time.Duration(patience)*time.Minute))
		query.Del("stale_after")
		hold(t, reader, "roll_call", query, q.asOf, q.rollCall())
	})
}

// hold holds a report's rows against others, field by field of those.
func hold(t *rapid.T, reader *report.Reader, name string, query url.Values, asOf time.Time, want []row) {
	r, err := report.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := reader.Answer(context.Background(), report.Question{Report: r, Query: query, AsOf: asOf})
	if err != nil {
		t.Fatalf("%s?%s: %v", name, query.Encode(), err)
	}
	got := decoded[[]row](t, answer.Rows)
	for i := range min(len(got), len(want)) {
		for field := range got[i] {
			if _, judged := want[i][field]; !judged {
				delete(got[i], field)
			}
		}
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 2e-6), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("%s?%s as of %s (-oracle +report):\n%s", name, query.Encode(), asOf, diff)
	}
}

// insideAt says whether the people of a visit are in at an instant.
func (a attendance) insideAt(t time.Time) bool {
	for _, stay := range a.stays(t.Add(time.Microsecond)) {
		if !t.Before(stay[0]) && t.Before(stay[1]) {
			return true
		}
	}
	return false
}

func (q question) occupancyNow(patience time.Duration) []row {
	var rows []row
	for _, s := range q.sites {
		var present, anonymous float64
		members := map[string]bool{}
		for _, v := range s.visits {
			if !v.insideAt(q.asOf) {
				continue
			}
			present += float64(v.party)
			if v.member == "" {
				anonymous++
			} else {
				members[v.member] = true
			}
		}
		r := row{
			"space": s.name, "present": present, "members": float64(len(members)), "anonymous": anonymous, "capacity": nil, "pct": nil,
			"stale": true,
		}
		if s.capacity > 0 {
			r["capacity"], r["pct"] = float64(s.capacity), present/float64(s.capacity)*100
		}
		var last time.Time
		for _, e := range s.events {
			if e.at.After(last) {
				last = e.at
			}
		}
		if !last.IsZero() {
			silent := time.Duration(0)
			if last.Before(q.asOf) {
				moments := question{asOf: q.asOf}.moments([]*site{s}, last, q.asOf)
				for i, t := range moments[:len(moments)-1] {
					if s.open(t) {
						silent += moments[i+1].Sub(t)
					}
				}
			}
			r["stale"] = silent >= patience
		}
		rows = append(rows, r)
	}
	return rows
}

func (q question) rollCall() []row {
	var rows []row
	for _, member := range []string{"ada", "ben", "cem", "dev"} {
		var latest *attendance
		var where *site
		for _, s := range q.sites {
			for i := range s.visits {
				v := &s.visits[i]
				cut := v.cutoff && !q.asOf.Before(v.out) && q.asOf.Before(v.out.Add(4*time.Hour))
				if v.member == member && (v.insideAt(q.asOf) || cut) && (latest == nil || v.in.After(latest.in)) {
					latest, where = v, s
				}
			}
		}
		if latest == nil {
			continue
		}
		age, confidence := q.asOf.Sub(latest.in), "low"
		switch {
		case !q.asOf.Before(latest.out):
		case age <= time.Hour:
			confidence = "high"
		case age <= 4*time.Hour:
			confidence = "medium"
		}
		rows = append(rows, row{"member": member, "space": where.name, "confidence": confidence})
	}
	return byPlace(rows)
}
