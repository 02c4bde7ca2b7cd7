package report_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"coworking/pkg/pgtest"
	"coworking/services/query/internal/report"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

func TestTokenFunnelIsAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		"token_funnel_by_month": {noon, "token_funnel", "from=2026-03-01&to=2026-04-01&interval=month&tz=America/New_York"},
	})
}

// Issues, uses and how long it took between them are what plain loops say.
func TestTokenFunnelAgreesWithPlainLoops(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	rapid.Check(t, func(t *rapid.T) {
		if err := empty(pool); err != nil {
			t.Fatal(err)
		}
		w := drawWorld(t)
		tokens := w.drawTokens(t)
		var lost []handed // used, and nobody told of their issue
		for range rapid.IntRange(0, 4).Draw(t, "lost") {
			lost = append(lost, handed{
				site: rapid.SampledFrom(w.sites).Draw(t, "where"),
				used: drawInstant(t, "used", w.dates[0], 4*24*time.Hour),
			})
		}
		load(t, pool, func(ctx context.Context, conn *pgx.Conn) error {
			if err := w.tell(ctx, conn); err != nil {
				return err
			}
			batch := &pgx.Batch{}
			for i, k := range lost {
				batch.Queue(`insert into told (space, kind, at, token) values ($1, 'token_used', $2, $3)`, k.site.name, k.used, fmt.Sprint("lost", i))
				k.site.events = append(k.site.events, happening{"token_used", k.used, k.used})
			}
			if err := conn.SendBatch(ctx, batch).Close(); err != nil {
				return err
			}
			return w.tellTokens(ctx, conn, tokens)
		})
		reader := report.NewReader(pool)
		for range 4 {
			q := w.drawQuestion(t)
			hold(t, reader, "token_funnel", q.query(), q.asOf, q.tokenFunnel(tokens, lost, q.byInterval))
			holdTotals(t, reader, "token_funnel", q.query(), q.asOf, only("start", q.tokenFunnel(tokens, lost, allInOne)))
		}
	})
}

func (q question) tokenFunnel(tokens, lost []handed, bucketOf func(time.Time) string) []row {
	var rows []row
	latencies := map[string][]float64{}
	for _, date := range q.dates() {
		bucket := bucketOf(date)
		if len(rows) == 0 || rows[len(rows)-1]["start"] != bucket {
			rows = append(rows, row{"start": bucket, "issued": nil, "used": nil, "conversion": nil, "clock_skew": nil, "orphan_used": nil, "latency_s": row{"p50": nil, "p90": nil, "p99": nil}})
		}
		r := rows[len(rows)-1]
		for _, s := range q.sites {
			if !q.alive(s, date) {
				continue
			}
			for _, field := range []string{"issued", "used", "clock_skew", "orphan_used"} {
				if r[field] == nil {
					r[field] = 0.0
				}
			}
			for _, k := range lost {
				if d, in := q.asked(s, k.used); k.site == s && in && d.Equal(date) && !k.used.After(q.asOf) {
					oneMore(r, "orphan_used")
				}
			}
			for _, k := range tokens {
				if d, in := q.asked(s, k.issued); k.site != s || !in || !d.Equal(date) || k.issued.After(q.asOf) {
					continue
				}
				oneMore(r, "issued")
				if k.used.IsZero() || k.used.After(q.asOf) {
					continue
				}
				oneMore(r, "used")
				if k.used.Before(k.issued) {
					oneMore(r, "clock_skew")
				} else {
					latencies[bucket] = append(latencies[bucket], k.used.Sub(k.issued).Seconds())
				}
			}
		}
		if issued := countOf(r, "issued"); issued > 0 {
			r["conversion"] = round(countOf(r, "used") / issued)
		}
	}
	for _, r := range rows {
		start, _ := r["start"].(string)
		took := latencies[start]
		if len(took) == 0 {
			continue
		}
		slices.Sort(took)
		of := row{}
		for name, share := range map[string]float64{"p50": 0.5, "p90": 0.9, "p99": 0.99} {
			at := share * float64(len(took)-1)
			low, high := took[int(math.Floor(at))], took[int(math.Ceil(at))]
			of[name] = low + (high-low)*(at-math.Floor(at))
		}
		r["latency_s"] = of
	}
	return rows
}
