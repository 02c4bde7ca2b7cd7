package report

import (
	"context"

	"coworking/pkg/calendar"
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

// fatesRoom is how many bytes they take.
const fatesRoom = 64

// fates is what became of tokens.
type fates struct {
	alive                                            bool
	since                                            int64 // when the last of them was used or expired
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
	err := s.countFates(ctx, func(date calendar.Date) *fates { return &rows[b.row(date)] })
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

// countFates counts each token of the range where its date is counted.
func (s *scope) countFates(ctx context.Context, of func(date calendar.Date) *fates) error {
	came, err := s.visitors(ctx)
	if err != nil {
		return err
	}
	return digestTokens(ctx, s, tokenDigest[fates]{
		name: "fates",
		add: func(f *fates, p *place, date calendar.Date, t *token) {
			f.count(t, s.asOf, func() bool { return came(p, date, t.member) })
		},
		end:   func(*fates) {},
		since: func(f *fates) int64 { return f.since },
		room:  func(*fates) int { return fatesRoom },
	}, func(date calendar.Date, f *fates) { of(date).add(*f) })
}

// count counts a token; came says whether its member had a visit.
func (f *fates) count(t *token, asOf int64, came func() bool) {
	f.issued++
	if t.used != distantFuture {
		f.since = max(f.since, t.used)
	} else {
		f.since = max(f.since, t.expires)
	}
	switch {
	case t.used <= asOf && t.used <= t.expires:
		f.used++
	case t.used <= asOf:
		f.lateUsed++
	case asOf < t.expires:
		f.pending++
	case t.member != 0 && came():
		f.covered++
	default:
		f.noShow++
	}
}

// visitors says who had a visit to a space on a date of the range, by now. Where bounds are
// instants, a visit of the same date covers a token also if it began outside of them.
func (s *scope) visitors(ctx context.Context) (came func(p *place, date calendar.Date, member int32) bool, err error) {
	var asked []daysOf
	for _, p := range s.places {
		start, _ := p.grid.Span(s.from)
		end, _ := p.grid.Span(s.to)
		first, stop := p.ownDays(window{start, end})
		asked = append(asked, daysOf{p, first, stop})
	}
	of := map[spaceDate]*turnout{}
	if s.zone == nil {
		turnouts, err := s.turnouts(ctx, asked)
		if err != nil {
			return nil, err
		}
		for i, a := range asked {
			for j, t := range turnouts[i] {
				of[spaceDate{a.place.id, a.first.AddDays(j)}] = t
			}
		}
	} else {
		err := s.eachArrival(ctx, asked, func(visit arrival) {
			k := spaceDate{visit.space, s.zone.DayAt(visit.in)}
			if of[k] == nil {
				of[k] = &turnout{}
			}
			of[k].set.add(visit.member)
		})
		if err != nil {
			return nil, err
		}
	}
	return func(p *place, date calendar.Date, member int32) bool {
		t := of[spaceDate{p.id, date}]
		return t != nil && t.has(member)
	}, nil
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
