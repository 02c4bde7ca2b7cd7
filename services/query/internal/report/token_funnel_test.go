package report_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"coworking/pkg/pgtest"
	"coworking/services/query/internal/report"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

func TestTokenFunnelIsAsAddedUpByHand(t *testing.T) {
	byHand(t, "testdata/golden", map[string]asked{
		"token_funnel_by_month": {noon, "token_funnel", "from=2026-03-01&to=2026-04-01&interval=month&tz=America/New_York"},
	})
}

// Issues, uses and how long it took between them are what plain loops say.
func TestTokenFunnelAgreesWithPlainLoops(t *testing.T) {
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
			hold(t, reader, "token_funnel", q.query(), q.asOf, q.tokenFunnel(tokens))
		}
	})
}

func (q question) tokenFunnel(tokens []handed) []row {
	var rows []row
	latencies := map[string][]float64{}
	for _, date := range q.dates() {
		bucket := text(q.bucket(date))
		if len(rows) == 0 || rows[len(rows)-1]["start"] != bucket {
			rows = append(rows, row{"start": bucket, "issued": nil, "used": nil, "conversion": nil, "clock_skew": nil, "latency_s": row{"p50": nil, "p90": nil, "p99": nil}})
		}
		r := rows[len(rows)-1]
		for _, s := range q.sites {
			if !q.alive(s, date) {
				continue
			}
			for _, field := range []string{"issued", "used", "clock_skew"} {
				if r[field] == nil {
					r[field] = 0.0
				}
			}
			for _, k := range tokens {
				if d, in := q.asked(s, k.issued); k.site != s || !in || !d.Equal(date) || k.issued.After(q.asOf) {
					continue
				}
				r["issued"] = r["issued"].(float64) + 1
				if k.used.IsZero() || k.used.After(q.asOf) {
					continue
				}
				r["used"] = r["used"].(float64) + 1
				if k.used.Before(k.issued) {
					r["clock_skew"] = r["clock_skew"].(float64) + 1
				} else {
					latencies[bucket] = append(latencies[bucket], k.used.Sub(k.issued).Seconds())
				}
			}
		}
		if issued, alive := r["issued"].(float64); alive && issued > 0 {
			r["conversion"] = round(r["used"].(float64) / issued)
		}
	}
	for _, r := range rows {
		took := latencies[r["start"].(string)]
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
