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
	steps := stepsOf(start, s.from, s.today())
	at := map[calendar.Date]int{} // of each step
	for i, d := range steps {
		at[d] = i
	}
	cohorts := make([]memberSet, len(steps))
	end := min(s.to, s.today()+1)
	err := s.eachCohort(ctx, p, func(member int32, d calendar.Date) {
		if s.from <= d && d < end {
			cohorts[at[start(d)]].add(member)
		}
	})
	if err != nil {
		return answer, err
	}
	attendance, err := s.attendance(ctx)
	if err != nil {
		return answer, err
	}
	sizes := make([]int64, len(steps))
	came := make([][]int64, len(steps)) // by cohort and k
	for now, first := range steps {
		sizes[now] = int64(cohorts[now].size())
		stop := attendance.stop()
		if now+1 < len(steps) {
			stop = steps[now+1]
		}
		here := attendance.during(first, stop)
		for cohort := range now + 1 {
			came[cohort] = append(came[cohort], int64(here.shared(cohorts[cohort])))
		}
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

// eachCohort calls yield with each member and the date that puts them into a cohort.
func (s *scope) eachCohort(ctx context.Context, p retentionParams, yield func(member int32, d calendar.Date)) error {
	if p.Cohort == "joined" {
		return s.eachJoined(ctx, yield)
	}
	annals, err := s.annals(ctx, p.Scope == "any")
	if err != nil {
		return err
	}
	firsts, err := annals.firsts(ctx)
	for _, a := range firsts {
		if a.member != 0 {
			yield(a.member, s.date(a))
		}
	}
	return err
}

// eachJoined calls yield with each member that the asker knows, and the date they joined
// on.
func (s *scope) eachJoined(ctx context.Context, yield func(member int32, d calendar.Date)) error {
	members, err := s.everybody(ctx)
	if err != nil {
		return err
	}
	var known memberSet
	if s.question.Visible != nil {
		if known, err = s.knownMembers(ctx, members); err != nil {
			return err
		}
	}
	for number, m := range members {
		if m.joined != nil && *m.joined <= s.asOf && (s.question.Visible == nil || known.has(number)) {
			yield(number, s.joinedOn(*m.joined))
		}
	}
	return nil
}

// knownMembers is those of all members that the asker has seen: with a visit, or a token,
// in a space that they may see.
func (s *scope) knownMembers(ctx context.Context, members map[int32]member) (memberSet, error) {
	var known memberSet
	annals, err := s.annals(ctx, true)
	if err != nil {
		return known, err
	}
	known = annals.everybody()
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
