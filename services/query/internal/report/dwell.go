package report

import (
	"context"
	"iter"
	"slices"
	"time"
)

// Dwell is how long people stay.
var Dwell = namingGroups(define("dwell", Definition{
	Doc: "How long visits were, from those that a check-out ended: quartiles, the longest tenth, the mean and a histogram.",
	Counts: []string{
		"A visit's length is its time inside, without time between a check-out and a return, and the same for a party as for one.",
		"n, the percentiles and the mean are of measured visits of at least 3 minutes; shorter ones are transient, and only in the histogram's first step beside that.",
		"Percentiles are linear between the closest ranks: the median of 10 and 20 minutes is 15.",
		"measured_share is measured visits, transient ones too, ÷ all that have ended; the others' ends are inferred.",
		"include_estimated=true fills with_estimated: the same figures with inferred ends among them.",
		"A visit counts in the range that holds its begin, with the whole of its length.",
	},
	Leaves: []string{
		"Visits that have not ended are counted as open, and have no length yet.",
		"Who does not check out may stay for longer or shorter than who does: a low measured_share says little of everybody.",
	},
	Reads:   "The visits of the range's days.",
	Example: "from=2026-03-30&to=2026-04-01&include_estimated=true",
}, dwell))

type dwellParams struct {
	Common
	Filtered
	Compared

	GroupBy          *string `param:"group_by" enum:"space,plan,team,zone,method" doc:"The same rows for each of these, whose name comes first; totals stay those of all."`
	IncludeEstimated bool    `param:"include_estimated" default:"false" doc:"Fill with_estimated, where inferred ends count, too."`
}

type dwellRow struct {
	Group         *string       `json:"group" doc:"What group_by asked for, null where that is not said; all without group_by."`
	N             *int64        `json:"n" unit:"visits" doc:"Measured visits of at least 3 minutes."`
	MeasuredShare *Mean         `json:"measured_share" unit:"share" doc:"Measured visits ÷ all that have ended."`
	P25           *Minutes      `json:"p25_min" unit:"minutes" doc:"A quarter of them were shorter."`
	P50           *Minutes      `json:"p50_min" unit:"minutes" doc:"Half of them were shorter."`
	P75           *Minutes      `json:"p75_min" unit:"minutes" doc:"Three quarters of them were shorter."`
	P90           *Minutes      `json:"p90_min" unit:"minutes" doc:"Nine tenths of them were shorter."`
	Mean          *Minutes      `json:"mean_min" unit:"minutes" doc:"Their mean."`
	Transient     *int64        `json:"transient" unit:"visits" doc:"Measured visits under 3 minutes."`
	Open          *int64        `json:"open" unit:"visits" doc:"Visits that have not ended."`
	Histogram     []dwellStep   `json:"histogram" doc:"Measured visits by their length, transient ones too."`
	WithEstimated withEstimated `json:"with_estimated"`
}

type dwellStep struct {
	From int64  `json:"from_min" unit:"minutes" doc:"The shortest that counts here."`
	To   *int64 `json:"to_min" unit:"minutes" doc:"The shortest that no longer counts here; null: there is none."`
	N    *int64 `json:"n" unit:"visits" doc:"Visits."`
}

type withEstimated struct {
	N    *int64   `json:"n" unit:"visits" doc:"All visits of at least 3 minutes that have ended; null unless include_estimated asks for it."`
	P25  *Minutes `json:"p25_min" unit:"minutes" doc:"As p25_min, of those."`
	P50  *Minutes `json:"p50_min" unit:"minutes" doc:"As p50_min, of those."`
	P75  *Minutes `json:"p75_min" unit:"minutes" doc:"As p75_min, of those."`
	P90  *Minutes `json:"p90_min" unit:"minutes" doc:"As p90_min, of those."`
	Mean *Minutes `json:"mean_min" unit:"minutes" doc:"As mean_min, of those."`
}

type dwellTotals struct {
	N             *int64        `json:"n"`
	MeasuredShare *Mean         `json:"measured_share"`
	P25           *Minutes      `json:"p25_min"`
	P50           *Minutes      `json:"p50_min"`
	P75           *Minutes      `json:"p75_min"`
	P90           *Minutes      `json:"p90_min"`
	Mean          *Minutes      `json:"mean_min"`
	Transient     *int64        `json:"transient"`
	Open          *int64        `json:"open"`
	Histogram     []dwellStep   `json:"histogram"`
	WithEstimated withEstimated `json:"with_estimated"`
}

// transient is what a visit must at least be long, in µs, to be one that stayed.
const transient = int64(3 * time.Minute / time.Microsecond)

// dwellEdges is where the steps of the histogram begin, in minutes.
var dwellEdges = [...]int64{0, 3, 15, 30, 60, 120, 180, 240, 360, 480, 720}

// lengths is the visits of a group, by how long they were: in µs inside.
type lengths struct {
	alive           bool
	measured        sortedLists // of at least 3 minutes
	estimated       sortedLists // the same of those whose end was inferred
	transient, open int64
	steps           [len(dwellEdges)]int64
	ends            ends
}

func dwell(ctx context.Context, s *scope, p dwellParams) (counted[dwellRow, dwellTotals], error) {
	var answer counted[dwellRow, dwellTotals]
	everything := "all"
	groups := []group{{&everything, s}}
	if by := p.GroupBy; by != nil {
		s.plans = s.plans || *by == "plan" || *by == "team"
		var err error
		if groups, err = s.groups(ctx, *by); err != nil {
			return answer, err
		}
	}
	for _, g := range groups {
		l, err := g.scope.lengths(ctx)
		if err != nil {
			return answer, err
		}
		answer.rows = append(answer.rows, l.row(g.name, p.IncludeEstimated))
	}
	total, err := s.lengths(ctx)
	answer.totals = total.totals(p.IncludeEstimated)
	answer.ends = total.ends
	answer.partialLast = s.anyRunning(s.to - 1)
	return answer, err
}

// lengthsRoom is how many bytes they take without what is sorted.
const lengthsRoom = 250

// lengthsOfDay is what a day adds to them.
var lengthsOfDay = digest[*lengths]{
	name: "lengths",
	make: func(visits iter.Seq[*stay]) *lengths { return sorted(visits, distantFuture) },
	room: func(l *lengths) int { return lengthsRoom + 8*(l.measured.len()+l.estimated.len()) },
}

// lengths adds up the visits that began in the range.
func (s *scope) lengths(ctx context.Context) (*lengths, error) {
	l := &lengths{}
	for d := s.from; d < s.to; d++ {
		l.alive = l.alive || s.anyAlive(d)
	}
	settled, others := s.settled()
	days, err := digests(ctx, s, settled, lengthsOfDay)
	if err != nil {
		return l, err
	}
	for _, day := range slices.Concat(days...) {
		l.add(day)
	}
	l.add(sorted(func(yield func(*stay) bool) {
		for v, failed := range s.walk(ctx, others) {
			if err = failed; err != nil || s.sees(v.place, v.in) && !yield(v) {
				return
			}
		}
	}, s.asOf))
	return l, err
}

// sorted sorts visits by how long they were.
func sorted(visits iter.Seq[*stay], asOf int64) *lengths {
	l := &lengths{}
	var measured, estimated []int64
	for v := range visits {
		l.ends.count(v, asOf)
		inside := v.inside()
		switch {
		case v.out > asOf:
			l.open++
		case v.explicit:
			l.steps[stepOf(inside)]++
			if inside < transient {
				l.transient++
			} else {
				measured = append(measured, inside)
			}
		case inside >= transient:
			estimated = append(estimated, inside)
		}
	}
	for _, of := range []struct {
		list    []int64
		ordered *sortedLists
	}{{measured, &l.measured}, {estimated, &l.estimated}} {
		if len(of.list) > 0 {
			slices.Sort(of.list)
			*of.ordered = sortedLists{slices.Clip(slices.Clone(of.list))}
		}
	}
	return l
}

// add adds the visits of others.
func (l *lengths) add(o *lengths) {
	l.measured, l.estimated = append(l.measured, o.measured...), append(l.estimated, o.estimated...)
	l.transient += o.transient
	l.open += o.open
	for i, n := range o.steps {
		l.steps[i] += n
	}
	l.ends.all += o.ends.all
	l.ends.estimated += o.ends.estimated
}

// inside is how long a visit was, without the time outside, in µs.
func (v *visit) inside() int64 { return v.spent(window{v.in, v.out}) }

// stepOf is the step of the histogram that a length falls in.
func stepOf(inside int64) int {
	at, found := slices.BinarySearch(dwellEdges[:], inside/time.Minute.Microseconds())
	if !found {
		at--
	}
	return at
}

func (l *lengths) row(group *string, includeEstimated bool) dwellRow {
	t := l.totals(includeEstimated)
	return dwellRow{
		Group: group,
		N:     t.N, MeasuredShare: t.MeasuredShare, P25: t.P25, P50: t.P50, P75: t.P75, P90: t.P90, Mean: t.Mean,
		Transient: t.Transient, Open: t.Open, Histogram: t.Histogram, WithEstimated: t.WithEstimated,
	}
}

func (l *lengths) totals(includeEstimated bool) dwellTotals {
	t := dwellTotals{
		N: l.known(int64(l.measured.len())), MeasuredShare: mean(l.ends.all-l.ends.estimated, l.ends.all),
		P25: minutesAt(l.measured, 0.25), P50: minutesAt(l.measured, 0.5), P75: minutesAt(l.measured, 0.75), P90: minutesAt(l.measured, 0.9),
		Mean: meanMinutes(l.measured), Transient: l.known(l.transient), Open: l.known(l.open),
	}
	for i, n := range l.steps {
		t.Histogram = append(t.Histogram, dwellStep{From: dwellEdges[i], N: l.known(n)})
		if i > 0 {
			t.Histogram[i-1].To = &dwellEdges[i]
		}
	}
	if includeEstimated {
		all := slices.Concat(l.measured, l.estimated)
		t.WithEstimated = withEstimated{
			N:   l.known(int64(all.len())),
			P25: minutesAt(all, 0.25), P50: minutesAt(all, 0.5), P75: minutesAt(all, 0.75), P90: minutesAt(all, 0.9),
			Mean: meanMinutes(all),
		}
	}
	return t
}

// known is a figure within the life of a space, null outside of it.
func (l *lengths) known(n int64) *int64 {
	if !l.alive {
		return nil
	}
	return &n
}

// minutesAt is the length that a share of them is under; nil if there is none.
func minutesAt(lengths sortedLists, share float64) *Minutes {
	at := lengths.quantile(share)
	if at == nil {
		return nil
	}
	m := Minutes(*at + 0.5)
	return &m
}

func meanMinutes(lengths sortedLists) *Minutes {
	n := lengths.len()
	if n == 0 {
		return nil
	}
	m := Minutes(divide(lengths.sum(), int64(n)))
	return &m
}

// namingGroups has answers say what they are grouped by, where rows name their
// groups in a column of the report's own.
func namingGroups(r Report) Report {
	look := r.look
	r.look = func(ctx context.Context, reader *Reader, q Question, likely Likely) (Look, error) {
		l, err := look(ctx, reader, q, likely)
		count := l.Answer
		l.Answer = func(ctx context.Context) (Answer, error) {
			answer, err := count(ctx)
			if by := q.Query.Get("group_by"); by != "" {
				answer.Meta.GroupBy = &by
			}
			return answer, err
		}
		return l, err
	}
	return r
}
