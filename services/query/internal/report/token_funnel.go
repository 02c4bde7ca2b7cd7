package report

import (
	"context"
	_ "embed"
	"math"
	"slices"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// TokenFunnel is how many of the tokens that are handed out open a door, and how soon.
var TokenFunnel = define("token_funnel", Definition{
	Doc: "One-time tokens from issue to use: how many are used, and how soon.",
	Counts: []string{
		"A token counts on the day it was issued, and as used whenever it was used up to now: the earliest issue and the earliest use hold.",
		"Latency is the time from issue to use. A use before the issue is a conversion like any other, but left out of the percentiles and counted as clock_skew: two clocks disagree.",
		"orphan_used is tokens that were used and whose issue nobody told, on the day of their use; they are not among the others.",
	},
	Leaves:  []string{"Whether a token had expired when it was used: no_shows tells."},
	Reads:   "The tokens that were issued in the range, and those that were used in it without a known issue. Percentiles lie on the line between the two closest ranks.",
	Example: "from=2026-03-28&to=2026-04-01",
}, tokenFunnel)

type tokenFunnelParams struct {
	Common
	BySpace
	Compared
	Interval string `param:"interval" enum:"day,week,month" default:"day" doc:"How many days a row counts."`
}

type tokenFunnelRow struct {
	Start      calendar.Date `json:"start" doc:"The day of issue, or the first day of the week or month."`
	Issued     *int64        `json:"issued" unit:"tokens" doc:"Tokens that were issued."`
	Used       *int64        `json:"used" unit:"tokens" doc:"Of these, used by now."`
	Conversion *Mean         `json:"conversion" unit:"share" doc:"Used ÷ issued."`
	LatencyS   latency       `json:"latency_s"`
	ClockSkew  *int64        `json:"clock_skew" unit:"tokens" doc:"Used before they were issued, as the clocks say."`
	OrphanUsed *int64        `json:"orphan_used" unit:"tokens" doc:"Used on these days, and nobody told of their issue."`
}

type latency struct {
	P50 *Seconds `json:"p50" unit:"seconds" doc:"From issue to use: half of them were sooner. Null without a use that came after its issue."`
	P90 *Seconds `json:"p90" unit:"seconds" doc:"90 of 100 were sooner."`
	P99 *Seconds `json:"p99" unit:"seconds" doc:"99 of 100 were sooner."`
}

type tokenFunnelTotals struct {
	Issued     *int64  `json:"issued"`
	Used       *int64  `json:"used"`
	Conversion *Mean   `json:"conversion"`
	LatencyS   latency `json:"latency_s"`
	ClockSkew  *int64  `json:"clock_skew"`
	OrphanUsed *int64  `json:"orphan_used"`
}

//go:embed tokens_orphaned.sql
var tokensOrphanedSQL string

// funnelRoom is how many bytes one takes without its latencies.
const funnelRoom = 100

// funnel is a row in the making, or what a day adds to one.
type funnel struct {
	alive                       bool
	since                       int64 // when the last of them was used
	issued, used, skew, orphans int64
	latencies                   sortedLists // µs
	took                        []int64     // of a day, until they are sorted
}

func tokenFunnel(ctx context.Context, s *scope, p tokenFunnelParams) (counted[tokenFunnelRow, tokenFunnelTotals], error) {
	answer := counted[tokenFunnelRow, tokenFunnelTotals]{interval: p.Interval, partialLast: s.anyRunning(s.to - 1)}
	b := s.buckets(p.Interval)
	rows := make([]funnel, len(b.starts))
	for _, place := range s.places {
		for d := s.from; d < s.to; d++ {
			rows[b.row(d)].alive = rows[b.row(d)].alive || place.alive(d)
		}
	}
	err := digestTokens(ctx, s, tokenDigest[funnel]{
		name:  "funnel",
		add:   func(f *funnel, _ *place, _ calendar.Date, t *token) { f.count(t, s.asOf) },
		end:   (*funnel).sort,
		since: func(f *funnel) int64 { return f.since },
		room:  func(f *funnel) int { return funnelRoom + 8*f.latencies.len() },
	}, func(date calendar.Date, f *funnel) { rows[b.row(date)].add(f) })
	if err != nil {
		return answer, err
	}
	err = s.eachOrphan(ctx, func(date calendar.Date) { rows[b.row(date)].orphans++ })
	if err != nil {
		return answer, err
	}
	var total funnel
	for i := range rows {
		r := tokenFunnelRow{Start: b.starts[i]}
		r.Issued, r.Used, r.Conversion, r.LatencyS, r.ClockSkew, r.OrphanUsed = rows[i].figures()
		answer.rows = append(answer.rows, r)
		total.add(&rows[i])
	}
	t := &answer.totals
	t.Issued, t.Used, t.Conversion, t.LatencyS, t.ClockSkew, t.OrphanUsed = total.figures()
	return answer, nil
}

// eachOrphan calls yield with the date of each use of the range whose issue nobody
// knows.
func (s *scope) eachOrphan(ctx context.Context, yield func(date calendar.Date)) error {
	var asked stretches
	for _, p := range s.places {
		asked.add(p, s.instants(p).before(s.asOf+1))
	}
	rows, err := s.db.Query(ctx, tokensOrphanedSQL, asked.args())
	if err != nil {
		return pg.Classify(err)
	}
	var space int32
	var used time.Time
	_, err = pgx.ForEachRow(rows, []any{&space, &used}, func() error {
		p := s.place(space)
		if date := p.grid.DayAt(used.UnixMicro()); p.alive(date) {
			yield(date)
		}
		return nil
	})
	return pg.Classify(err)
}

func (f *funnel) count(t *token, asOf int64) {
	f.issued++
	if t.used != distantFuture {
		f.since = max(f.since, t.used)
	}
	if t.used > asOf {
		return
	}
	f.used++
	if took := t.used - t.issued; took < 0 {
		f.skew++
	} else {
		f.took = append(f.took, took)
	}
}

// sort sorts the latencies of a day whose tokens were all counted.
func (f *funnel) sort() {
	slices.Sort(f.took)
	if len(f.took) > 0 {
		f.latencies = sortedLists{slices.Clone(f.took)}
	}
	f.took = nil
}

func (f *funnel) add(o *funnel) {
	f.alive = f.alive || o.alive
	f.issued += o.issued
	f.used += o.used
	f.skew += o.skew
	f.orphans += o.orphans
	f.latencies = append(f.latencies, o.latencies...)
}

// figures is null outside of the life of a space.
func (f *funnel) figures() (issued, used *int64, conversion *Mean, took latency, skew, orphans *int64) {
	if !f.alive {
		return nil, nil, nil, latency{}, nil, nil
	}
	after := func(share float64) *Seconds {
		at := f.latencies.quantile(share)
		if at == nil {
			return nil
		}
		seconds := Seconds(math.Round(*at))
		return &seconds
	}
	took = latency{after(0.5), after(0.9), after(0.99)}
	return &f.issued, &f.used, mean(f.used, f.issued), took, &f.skew, &f.orphans
}
