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

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

// In the small world, up to Tuesday noon, Ada had 3 + 2 + 8½ + 5 hours in Berlin and 2
// in Kathmandu; Ben 4 (estimated) + ½; Cem ½; Dev 1 (cut off) + ½ + 1, for the visit of
// two counts once; Eve 4 and, so far today, 1, both estimated.
func TestUserVisitsAreAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		"user_visits_never":        {noon, "user_visits", "from=2026-03-30&to=2026-03-31&include=never&sort=joined_at&order=asc"},
		"user_visits_of_kathmandu": {noon, "user_visits", "from=2026-03-27&to=2026-04-01&space=kathmandu&sort=hours&limit=1"},
	})
}

// The figures of members are what plain loops say, on any page.
func TestUserVisitsAgreeWithPlainLoops(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	rapid.Check(t, func(t *rapid.T) {
		if err := empty(pool); err != nil {
			t.Fatal(err)
		}
		w := drawWorld(t)
		tokens := w.drawTokens(t)
		load(t, pool, func(ctx context.Context, conn *pgx.Conn) error {
			if err := w.tell(ctx, conn); err != nil {
				return err
			}
			return w.tellTokens(ctx, conn, tokens)
		})
		reader := report.NewReader(pool)
		for range 4 {
			q := w.drawQuestion(t)
			query := q.query()
			query.Del("interval")
			query.Set("limit", rapid.SampledFrom([]string{"1", "2", "100"}).Draw(t, "limit"))
			query.Set("sort", rapid.SampledFrom([]string{"visits", "hours", "first_visit", "last_visit", "visit_days"}).Draw(t, "sort"))
			want := q.userVisits(w, tokens)
			got := allPages(t, reader, query, q.asOf)
			for _, r := range got {
				delete(r, "joined_at")
			}
			byName := func(a, b row) int { return strings.Compare(wordOf(a, "member"), wordOf(b, "member")) }
			slices.SortFunc(got, byName)
			slices.SortFunc(want, byName)
			if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 2e-6), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("%s as of %s (-oracle +report):\n%s", query.Encode(), q.asOf, diff)
			}
		}
	})
}

// allPages is the rows of every page, which are in the order that was asked for.
func allPages(t *rapid.T, reader *report.Reader, query url.Values, asOf time.Time) []row {
	var all []row
	for range 30 {
		answer, err := reader.Answer(context.Background(), report.Question{Report: report.UserVisits, Query: query, AsOf: asOf})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range decoded[[]row](t, answer.Rows) {
			if n, isNumber := r[query.Get("sort")].(float64); isNumber && len(all) > 0 && n > countOf(all[len(all)-1], query.Get("sort")) {
				t.Fatalf("%s: %v comes after %v", query.Encode(), r, all[len(all)-1])
			}
			all = append(all, r)
		}
		if answer.Meta.NextCursor == nil {
			return all
		}
		query.Set("cursor", *answer.Meta.NextCursor)
	}
	t.Fatal("there is always another page")
	return nil
}

func (q question) userVisits(w *world, tokens []handed) []row {
	var rows []row
	for _, member := range []string{"ada", "ben", "cem", "dev"} {
		var visits, issued, used float64
		var inside, estimated time.Duration
		var first, last time.Time
		days, spaces := map[time.Time]bool{}, map[string]int{}
		for _, s := range w.sites {
			for _, v := range s.visits {
				if v.member != member || v.in.After(q.asOf) {
					continue
				}
				if first.IsZero() || v.in.Before(first) {
					first = v.in
				}
				if v.in.After(last) {
					last = v.in
				}
			}
		}
		for _, s := range q.sites {
			for _, v := range s.visits {
				d, in := q.asked(s, v.in)
				if v.member != member || !in || v.in.After(q.asOf) || !q.alive(s, d) {
					continue
				}
				visits++
				days[d] = true
				spaces[s.name]++
				for _, stay := range v.stays(q.asOf) {
					inside += stay[1].Sub(stay[0])
					if !v.explicit {
						estimated += stay[1].Sub(stay[0])
					}
				}
			}
			for _, k := range tokens {
				if k.site != s || k.member != member {
					continue
				}
				if _, in := q.asked(s, k.issued); in && !k.issued.After(q.asOf) {
					issued++
				}
				if _, in := q.asked(s, k.used); !k.used.IsZero() && in && !k.used.After(q.asOf) {
					used++
				}
			}
		}
		if visits == 0 {
			continue
		}
		usual := ""
		for _, s := range q.sites {
			if usual == "" || spaces[s.name] > spaces[usual] {
				usual = s.name
			}
		}
		rows = append(rows, row{
			"member": member, "visits": visits, "visit_days": float64(len(days)), "hours": hours(inside), "hours_estimated": hours(estimated),
			"first_visit": first.UTC().Format(time.RFC3339Nano), "last_visit": last.UTC().Format(time.RFC3339Nano), "usual_space": usual,
			"tokens_issued": issued, "tokens_used": used,
		})
	}
	return rows
}
