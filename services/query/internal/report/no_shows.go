package report

import (
	"context"
	_ "embed"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// NoShows is who was handed a token and never came.
var NoShows = define("no_shows", Definition{
	Doc: "What became of the one-time tokens of each day: used, pending, or never used until they expired.",
	Counts: []string{
		"A token counts on the day it was issued, and is exactly one of: used, pending, covered, no_show or late_used.",
		"It expires at expires_at, or 24 hours after its issue. Used is used by then, also before the issue where clocks disagree; late_used is used after it.",
		"Covered is a token that expired unused, whose member had a visit to that space on that day all the same, at any hour of it: they came in another way.",
		"The rate is no_show ÷ all that are not pending: of those whose end is known. no_show_rate of spaces divides by all that were issued.",
	},
	Leaves:  []string{"Tokens whose issue is not known: token_funnel counts them.", "A token without a member cannot be covered."},
	Reads:   "The tokens that were issued in the range, and who had a visit on its days.",
	Example: "from=2026-03-28&to=2026-04-01",
}, noShows)

type noShowsParams struct {
	Common
	BySpace
	Compared
	Interval string `param:"interval" enum:"day,week,month" default:"day" doc:"How many days a row counts."`
}

type noShowsRow struct {
	Date     calendar.Date `json:"date" doc:"The day of issue, or the first day of the week or month."`
	Issued   *int64        `json:"issued" unit:"tokens" doc:"Tokens that were issued."`
	Used     *int64        `json:"used" unit:"tokens" doc:"Of these, used before they expired."`
	Pending  *int64        `json:"pending" unit:"tokens" doc:"Not used and not expired yet."`
	Covered  *int64        `json:"covered" unit:"tokens" doc:"Expired unused, but the member came that day in another way."`
	NoShow   *int64        `json:"no_show" unit:"tokens" doc:"Expired unused, and the member did not come."`
	LateUsed *int64        `json:"late_used" unit:"tokens" doc:"Used after they expired."`
	Rate     *Mean         `json:"rate" unit:"share" doc:"No-shows ÷ tokens issued that are not pending."`
}

type noShowsTotals struct {
	Issued   *int64 `json:"issued"`
	Used     *int64 `json:"used"`
	Pending  *int64 `json:"pending"`
	Covered  *int64 `json:"covered"`
	NoShow   *int64 `json:"no_show"`
	LateUsed *int64 `json:"late_used"`
	Rate     *Mean  `json:"rate"`
}

//go:embed tokens_issued.sql
var tokensIssuedSQL string

// token is a one-time token whose issue is known.
type token struct {
	place           *place
	issued, expires int64
	used            *int64 // nil: not by now
	member          int32  // 0: nobody's
}

// fates is what became of tokens.
type fates struct {
	alive                                            bool
	issued, used, pending, covered, noShow, lateUsed int64
}

func noShows(ctx context.Context, s *scope, p noShowsParams) (counted[noShowsRow, noShowsTotals], error) {
	b := s.buckets(p.Interval)
	rows := make([]fates, len(b.starts))
	for _, place := range s.places {
		for d := s.from; d < s.to; d++ {
			rows[b.row(d)].alive = rows[b.row(d)].alive || place.alive(d)
		}
	}
	err := s.eachFate(ctx, func(date calendar.Date, count func(*fates)) { count(&rows[b.row(date)]) })
	if err != nil {
		return counted[noShowsRow, noShowsTotals]{}, err
	}
	answer := counted[noShowsRow, noShowsTotals]{
		rows: make([]noShowsRow, len(rows)), interval: p.Interval, partialLast: s.anyRunning(s.to - 1),
	}
	var total fates
	for i := range rows {
		answer.rows[i] = noShowsRow{Date: b.starts[i]}
		r := &answer.rows[i]
		r.Issued, r.Used, r.Pending, r.Covered, r.NoShow, r.LateUsed, r.Rate = rows[i].figures()
		total.add(rows[i])
	}
	t := &answer.totals
	t.Issued, t.Used, t.Pending, t.Covered, t.NoShow, t.LateUsed, t.Rate = total.figures()
	return answer, nil
}

// eachFate calls yield with what each token of the range counts for, and on which
// date.
func (s *scope) eachFate(ctx context.Context, yield func(date calendar.Date, count func(*fates))) error {
	tokens, err := s.tokens(ctx)
	if err != nil || len(tokens) == 0 {
		return err
	}
	stays, err := s.everyStay(ctx, s.daysOfIssue())
	type visitor struct {
		place  *place
		date   calendar.Date
		member int32
	}
	came := map[visitor]bool{}
	for i := range stays {
		if v := &stays[i]; v.member != 0 && v.in <= s.asOf {
			came[visitor{v.place, v.place.grid.DayAt(v.in), v.member}] = true
		}
	}
	for _, t := range tokens {
		date := t.place.grid.DayAt(t.issued)
		if !t.place.alive(date) {
			continue
		}
		yield(date, func(f *fates) {
			f.issued++
			switch {
			case t.used != nil && *t.used <= t.expires:
				f.used++
			case t.used != nil:
				f.lateUsed++
			case s.asOf < t.expires:
				f.pending++
			case t.member != 0 && came[visitor{t.place, date, t.member}]:
				f.covered++
			default:
				f.noShow++
			}
		})
	}
	return err
}

// daysOfIssue is the visit days that hold any of the dates of the range, whole: where
// bounds are instants, a visit of the same date covers a token also if it began
// outside of them.
func (s *scope) daysOfIssue() ownDays {
	var days ownDays
	for _, p := range s.places {
		start, _ := p.grid.Span(s.from)
		end, _ := p.grid.Span(s.to)
		first, stop := p.ownDays(window{start, end})
		days.add(p, first, stop)
	}
	return days
}

// tokens reads the tokens that were issued in the range, up to asOf.
func (s *scope) tokens(ctx context.Context) ([]token, error) {
	var asked stretches
	for _, p := range s.places {
		asked.add(p, s.instants(p).before(s.asOf+1))
	}
	rows, err := s.db.Query(ctx, tokensIssuedSQL, asked.args())
	if err != nil {
		return nil, pg.Classify(err)
	}
	tokens, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (token, error) {
		var t token
		var space int32
		var issued time.Time
		var used, expires *time.Time
		err := row.Scan(&space, &issued, &used, &expires, &t.member)
		t.place, t.issued = s.place(space), issued.UnixMicro()
		t.expires = t.issued + (24 * time.Hour).Microseconds()
		if expires != nil {
			t.expires = expires.UnixMicro()
		}
		if used != nil && used.UnixMicro() <= s.asOf {
			at := used.UnixMicro()
			t.used = &at
		}
		return t, err
	})
	return tokens, pg.Classify(err)
}

func (f *fates) add(o fates) {
	f.alive = f.alive || o.alive
	f.issued += o.issued
	f.used += o.used
	f.pending += o.pending
	f.covered += o.covered
	f.noShow += o.noShow
	f.lateUsed += o.lateUsed
}

// figures is null outside of the life of a space.
func (f *fates) figures() (issued, used, pending, covered, noShow, lateUsed *int64, rate *Mean) {
	if !f.alive {
		return nil, nil, nil, nil, nil, nil, nil
	}
	return &f.issued, &f.used, &f.pending, &f.covered, &f.noShow, &f.lateUsed, mean(f.noShow, f.issued-f.pending)
}
