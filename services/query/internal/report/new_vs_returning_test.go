package report_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"coworking/pkg/pgtest"
	"coworking/services/query/internal/report"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// In the small world Ada, Ben and Cem came on Saturday, Dev and Eve on Sunday, each for
// the first time; Ada was in Kathmandu on Monday for the first time. In October she is
// back after half a year.
func TestNewVsReturningIsAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		"new_vs_returning_of_kathmandu": {noon, "new_vs_returning", "from=2026-03-28&to=2026-04-01&space=kathmandu&scope=space"},
		"new_vs_returning_months": {
			time.Date(2026, 10, 25, 12, 0, 0, 0, time.UTC), "new_vs_returning", "from=2026-03-01&to=2026-11-01&interval=month&tz=UTC",
		},
	})
}

// Ada is first on Lord Howe, where it is Monday by then, and an hour later in New York,
// where it is Sunday. So she is new on Monday, also to who reads visits date by date.
func TestTheFirstVisitMayBeOnALaterDateThanTheSecond(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	loadScript(t, pool, `
		insert into said values
		  ('newyork', '2026-01-01Z', '{"time_zone": "America/New_York"}'), ('lordhowe', '2026-01-01Z', '{"time_zone": "Australia/Lord_Howe"}');
		insert into told (space, kind, at) values ('lordhowe', 'checkin', '2026-03-29 19:00Z'), ('newyork', 'checkin', '2026-03-29 20:00Z');
		insert into stayed (space, day, member, in_at, out_at, ended) values
		  ('lordhowe', '2026-03-30', 'ada', '2026-03-29 19:00Z', '2026-03-29 19:30Z', 'explicit'),
		  ('newyork', '2026-03-29', 'ada', '2026-03-29 20:00Z', '2026-03-29 21:00Z', 'explicit')`)
	for _, n := range []int{1, 100} {
		reader := report.NewReader(pool)
		reader.ReadFew(n)
		answer := answerOf(t, reader, report.NewVsReturning, url.Values{"from": {"2026-03-29"}, "to": {"2026-03-31"}}, noon)
		var rows []struct{ New, Returning int }
		if err := json.NewDecoder(strings.NewReader(answer[1:])).Decode(&rows); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]struct{ New, Returning int }{{0, 1}, {1, 0}}, rows); diff != "" {
			t.Errorf("read %d at a time, Sunday and Monday (-want +got):\n%s", n, diff)
		}
	}
}

// Who is new and who is back is what plain loops say.
func TestNewVsReturningAgreesWithPlainLoops(t *testing.T) {
	t.Parallel()
	ofMadeUpWorlds(t, 4, func(t *rapid.T, reader *report.Reader, w *world, q question) {
		scope := rapid.SampledFrom([]string{"any", "space"}).Draw(t, "scope")
		query := q.query()
		query.Set("scope", scope)
		query.Set("week_start", strings.ToLower(q.weekStart.String()[:3]))
		everywhere := q.sites
		if scope == "any" {
			everywhere = w.sites
		}
		if oneAtATime(everywhere) {
			hold(t, reader, "new_vs_returning", query, q.asOf, q.newVsReturning(everywhere))
		}
	})
}

// oneAtATime says that nobody came twice at the same instant: which of the two is the
// first visit is not said.
func oneAtATime(sites []*site) bool {
	type moment struct {
		member string
		in     time.Time
	}
	seen := map[moment]bool{}
	for _, s := range sites {
		for _, v := range s.visits {
			if m := (moment{v.member, v.in}); v.member != "" && seen[m] {
				return false
			}
			seen[moment{v.member, v.in}] = true
		}
	}
	return true
}

func (q question) newVsReturning(everywhere []*site) []row {
	first := map[string]time.Time{}
	for _, s := range everywhere {
		for _, v := range s.visits {
			if at, known := first[v.member]; !v.in.After(q.asOf) && (!known || v.in.Before(at)) {
				first[v.member] = v.in
			}
		}
	}
	var rows []row
	came := map[string]map[string]bool{} // by bucket and member: whether their first visit was among them
	for _, date := range q.dates() {
		bucket := text(q.bucket(date))
		if came[bucket] == nil {
			came[bucket] = map[string]bool{}
			rows = append(rows, row{"start": bucket, "new": nil, "returning": nil, "reactivated": nil})
		}
		for _, s := range q.sites {
			if !q.alive(s, date) {
				continue
			}
			rows[len(rows)-1]["reactivated"] = 0.0 // no world is 60 days long
			for _, v := range s.visits {
				if d, in := q.asked(s, v.in); v.member != "" && in && d.Equal(date) && !v.in.After(q.asOf) {
					came[bucket][v.member] = came[bucket][v.member] || v.in.Equal(first[v.member])
				}
			}
		}
	}
	for _, r := range rows {
		if r["reactivated"] == nil {
			continue
		}
		var fresh, returning float64
		for _, isNew := range came[wordOf(r, "start")] {
			if isNew {
				fresh++
			} else {
				returning++
			}
		}
		r["new"], r["returning"] = fresh, returning
	}
	return rows
}
