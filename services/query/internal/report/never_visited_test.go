package report_test

import (
	"context"
	"net/url"
	"slices"
	"testing"
	"time"

	"coworking/pkg/pgtest"
	"coworking/services/query/internal/report"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

// In the small world Fay never came anywhere; Ben and Cem never came to Kathmandu,
// nor did Eve; Gus is not active any more.
func TestNeverVisitedIsAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		"never_visited_kathmandu": {noon, "never_visited", "space=kathmandu&limit=3"},
	})
}

// Page by page it is everybody who never came, each once, whatever the pages' size.
func TestEveryPageOfNeverVisitedTogetherIsTheList(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	rapid.Check(t, func(t *rapid.T) {
		if err := empty(pool); err != nil {
			t.Fatal(err)
		}
		type person struct {
			name         string
			joined       *time.Time
			active, came bool
			tokens       int
		}
		var people []person
		for i := range rapid.IntRange(1, 20).Draw(t, "people") {
			p := person{name: string(rune('a' + i)), active: rapid.Bool().Draw(t, "active"), came: rapid.Bool().Draw(t, "came"), tokens: rapid.IntRange(0, 2).Draw(t, "tokens")}
			if rapid.Bool().Draw(t, "joined is known") {
				at := noon.AddDate(0, 0, -rapid.IntRange(1, 5).Draw(t, "joined"))
				p.joined = &at
			}
			people = append(people, p)
		}
		load(t, pool, func(ctx context.Context, conn *pgx.Conn) error {
			batch := &pgx.Batch{}
			batch.Queue(`insert into said values ('main', '2026-01-01Z', '{"time_zone": "UTC"}')`)
			batch.Queue(`insert into told (space, kind, at) values ('main', 'heartbeat', '2026-01-02Z')`)
			for _, p := range people {
				batch.Queue(`insert into known (member, joined_at, active) values ($1, $2, $3)`, p.name, p.joined, p.active)
				if p.came {
					batch.Queue(`insert into stayed (space, day, member, in_at, out_at, ended) values ('main', '2026-03-02', $1, '2026-03-02 09:00Z', '2026-03-02 10:00Z', 'explicit')`, p.name)
				}
				for i := range p.tokens {
					batch.Queue(`insert into told (space, kind, at, member, token) values ('main', 'token_issued', '2026-03-01Z', $1, $2)`, p.name, p.name+string(rune('0'+i)))
				}
			}
			return conn.SendBatch(ctx, batch).Close()
		})
		reader := report.NewReader(pool)
		for _, limited := range []bool{false, true} {
			var want []string
			for _, p := range people {
				if p.active && !p.came && (!limited || p.tokens > 0) {
					want = append(want, p.name)
				}
			}
			slices.Sort(want)
			got := pages(t, reader, rapid.SampledFrom([]string{"1", "2", "7"}).Draw(t, "limit"), limited)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("limited: %v\n%s", limited, diff)
			}
		}
	})
}

// pages is the members of all pages of never_visited, as a key of one space sees them
// or as one of all.
func pages(t *rapid.T, reader *report.Reader, limit string, limited bool) []string {
	var names []string
	query := url.Values{"limit": {limit}}
	for range 30 {
		q := report.Question{Report: report.NeverVisited, Query: query, AsOf: noon}
		if limited {
			q.Visible = []string{"main"}
		}
		answer, err := reader.Answer(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range decoded[[]row](t, answer.Rows) {
			names = append(names, wordOf(r, "member"))
		}
		if answer.Meta.NextCursor == nil {
			return names
		}
		query.Set("cursor", *answer.Meta.NextCursor)
	}
	t.Fatal("there is always another page")
	return nil
}
