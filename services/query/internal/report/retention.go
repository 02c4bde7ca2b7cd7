package report

import (
	"context"

	"coworking/pkg/calendar"
)

// Retention is how many of those who came first in a week come again in the weeks after.
var Retention = define("retention", Definition{
	Doc:      "Of the members who came first in each week or month, how many came in each one after.",
	Anywhere: true,
	Counts: []string{
		"A cohort is the members whose first visit began in a week or month of the range: their first ever in any space, or with scope=space the first in the spaces that are asked for.",
		"With cohort=joined it is those who joined then.",
		"n is how many of them had a visit in the k-th week or month after, in the spaces that are asked for; k = 0 is the cohort's own. There is no limit on k but today.",
		"partial is a week or month that is still running.",
	},
	Leaves: []string{
		"What has not begun is null.",
		"Members of whom nobody said when they joined are in no cohort of cohort=joined; of a key of some spaces, nor are those who were never seen in them.",
		"Anonymous visits.",
	},
	Reads:   "When each visit of every member began.",
	Example: "from=2026-03-02&to=2026-04-01",
}, retention)

type retentionParams struct {
	Common
	Interval string `param:"interval" enum:"week,month" default:"week" doc:"How long a cohort's time is, and each one after."`
	Cohort   string `param:"cohort" enum:"first_visit,joined" default:"first_visit" doc:"What puts a member into a cohort."`
	Scope    string `param:"scope" enum:"any,space" default:"any" doc:"Whose first visit: to any space, or to those that are asked for."`
}

type retentionRow struct {
	Cohort  calendar.Date    `json:"cohort" doc:"The first day of the week or month."`
	Size    int64            `json:"size" unit:"members" doc:"Members in the cohort."`
	Periods []retentionCount `json:"periods" doc:"The cohort's own week or month, and each one after."`
}

type retentionCount struct {
	K       int64  `json:"k" doc:"How many weeks or months after the cohort's own."`
	N       *int64 `json:"n" unit:"members" doc:"Members of the cohort with a visit then; null if it has not begun."`
	Pct     *Mean  `json:"pct" unit:"percent" doc:"Of the cohort's size."`
	Partial bool   `json:"partial" doc:"It is still running."`
}

type retentionTotals struct {
	Size    int64            `json:"size" doc:"Members of all cohorts."`
	Periods []retentionCount `json:"periods" doc:"All cohorts together, as far as each has come."`
}

func retention(ctx context.Context, s *scope, p retentionParams) (counted[retentionRow, retentionTotals], error) {
	answer := counted[retentionRow, retentionTotals]{interval: p.Interval, totals: retentionTotals{Periods: []retentionCount{}}}
	start := func(d calendar.Date) calendar.Date { return weekOf(d, s.asked.week()) }
	if p.Interval == "month" {
		start = monthOf
	}
	history, err := s.history(ctx, false)
	if err != nil {
		return answer, err
	}
	cohortOf, err := s.cohorts(ctx, p, history)
	if err != nil {
		return answer, err
	}
	steps := stepsOf(start, s.from, s.today())
	at := map[calendar.Date]int{} // of each step
	for i, d := range steps {
		at[d] = i
	}

	sizes := make([]int64, len(steps))
	came := make([][]int64, len(steps)) // by cohort and k
	for i := range came {
		came[i] = make([]int64, len(steps)-i)
	}
	for _, d := range cohortOf {
		if d >= s.from && d < s.to && d <= s.today() {
			sizes[at[start(d)]]++
		}
	}
	type seen struct {
		member int32
		step   calendar.Date
	}
	counted := map[seen]bool{}
	for _, a := range history {
		first, known := cohortOf[a.member]
		step := start(s.date(a))
		inRange := known && first >= s.from && first < s.to && first <= s.today()
		if !inRange || step < start(first) || counted[seen{a.member, step}] {
			continue
		}
		cohort, now := at[start(first)], at[step]
		counted[seen{a.member, step}] = true
		came[cohort][now-cohort]++
	}
	answer.rows, answer.totals = layCohorts(s, start, steps, sizes, came)
	return answer, nil
}

// layCohorts lays out the cohorts of the range, the oldest first. All have as many
// periods as the oldest.
func layCohorts(
	s *scope, start func(calendar.Date) calendar.Date, steps []calendar.Date, sizes []int64, came [][]int64,
) (rows []retentionRow, totals retentionTotals) {
	running := len(steps) - 1
	reached, all := make([]int64, len(steps)), make([]int64, len(steps)) // by k: the sizes of cohorts that came so far, and who came
	for cohort, first := range steps {
		if first > start(s.to-1) {
			break
		}
		row := retentionRow{Cohort: first, Size: sizes[cohort]}
		for k := range steps {
			period := retentionCount{K: int64(k)}
			if k < len(came[cohort]) {
				period.N, period.Pct = &came[cohort][k], percent(came[cohort][k], row.Size)
				period.Partial = cohort+k == running
				reached[k] += row.Size
				all[k] += came[cohort][k]
			}
			row.Periods = append(row.Periods, period)
		}
		totals.Size += row.Size
		rows = append(rows, row)
	}
	totals.Periods = []retentionCount{}
	for k := range steps {
		totals.Periods = append(totals.Periods, retentionCount{
			K: int64(k), N: &all[k], Pct: percent(all[k], reached[k]), Partial: running-k >= 0 && running-k < len(rows),
		})
	}
	return rows, totals
}

// cohorts is the date that puts each member into a cohort.
func (s *scope) cohorts(ctx context.Context, p retentionParams, history []arrival) (map[int32]calendar.Date, error) {
	of := map[int32]calendar.Date{}
	if p.Cohort == "joined" {
		members, err := s.members(ctx)
		if err != nil {
			return nil, err
		}
		var known memberSet
		if s.question.Visible != nil {
			if known, err = s.knownMembers(ctx, members); err != nil {
				return nil, err
			}
		}
		for number, m := range members {
			if m.joined != nil && *m.joined <= s.asOf && (s.question.Visible == nil || known.has(number)) {
				of[number] = s.joinedOn(*m.joined)
			}
		}
		return of, nil
	}
	if p.Scope == "any" {
		var err error
		if history, err = s.history(ctx, true); err != nil {
			return nil, err
		}
	}
	for _, a := range history { // a member's in order of time
		if _, before := of[a.member]; !before {
			of[a.member] = s.date(a)
		}
	}
	return of, nil
}

// knownMembers is those of all members that the asker has seen: with a visit, or a token,
// in a space that they may see.
func (s *scope) knownMembers(ctx context.Context, members map[int32]member) (memberSet, error) {
	var known memberSet
	history, err := s.history(ctx, true)
	if err != nil {
		return known, err
	}
	for _, a := range history {
		known.add(a.member)
	}
	handed, err := s.tokensIssued(ctx, members, func(number int32) bool { return !known.has(number) })
	for member := range handed {
		known.add(member)
	}
	return known, err
}

// stepsOf is the weeks or months from the one that holds a date to the one that holds
// another, by their first days.
func stepsOf(start func(calendar.Date) calendar.Date, from, to calendar.Date) []calendar.Date {
	var steps []calendar.Date
	for d := start(from); d <= to; {
		steps = append(steps, d)
		next := d + 7
		for start(next) == d { // a month
			next += 7
		}
		d = start(next)
	}
	return steps
}
