package report

import (
	"context"
	"math"
	"slices"

	"coworking/pkg/calendar"
)

// Forecast is how many will come, as far as the past tells.
var Forecast = define("forecast", Definition{
	Doc: "How many visits the next open days will have, from the same weekdays before, beside what last week had.",
	Counts: []string{
		"The forecast is the median of the last 8 same weekdays that were open, times the trend: the visits of the last 28 days ÷ those of the 28 before, at least 0.7 and at most 1.3; 1 if the spaces have not lived that long.",
		"low and high are where 10 and 90 of 100 of its own past errors lie: it is asked for each of the last 28 open days, knowing only what was before.",
		"backtest is those days' errors added up ÷ their visits (WAPE): of the forecast, and of the naive one, same as the week before.",
		"The peak is the median of the same weekdays' peaks, times the trend.",
		"A closed day is 0. With fewer than 4 same weekdays there is no forecast: insufficient_history.",
	},
	Leaves:  []string{"Holidays that nobody told of, weather, and today: it is not over.", "It begins tomorrow, whatever range is asked for."},
	Reads:   "The visits of the last half year.",
	Example: "horizon=5",
}, forecast)

type forecastParams struct {
	Present
	Filtered
	Horizon int `param:"horizon" default:"14" least:"1" most:"14" doc:"How many open days."`
}

type forecastRow struct {
	Date           calendar.Date `json:"date" doc:"The day."`
	Visits         *Mean         `json:"visits" unit:"visits" doc:"Visits that are to be expected; null if the past tells too little."`
	Low            *Mean         `json:"low" unit:"visits" doc:"9 of 10 such days had more; null if it never was put to the test."`
	High           *Mean         `json:"high" unit:"visits" doc:"9 of 10 such days had fewer."`
	Peak           *Mean         `json:"peak" unit:"people" doc:"The most people at one instant that are to be expected."`
	SameAsLastWeek *int64        `json:"same_as_last_week" unit:"visits" doc:"What the last such weekday had."`
	Basis          basis         `json:"basis"`
	Backtest       backtest      `json:"backtest"`
	State          string        `json:"state" doc:"ok, closed or insufficient_history."`
}

type basis struct {
	N     int64 `json:"n" unit:"days" doc:"Same weekdays that it rests on."`
	Trend Mean  `json:"trend" doc:"Times the last 28 days were busier than the 28 before."`
}

type backtest struct {
	Wape      *Mean `json:"wape" unit:"share" doc:"The forecast's own error in the past, of the visits."`
	NaiveWape *Mean `json:"naive_wape" unit:"share" doc:"That of the same day a week before."`
	Days      int64 `json:"days" unit:"days" doc:"The past days that both were asked for."`
}

type forecastTotals struct {
	Visits         *Mean    `json:"visits"`
	SameAsLastWeek *int64   `json:"same_as_last_week"`
	Backtest       backtest `json:"backtest"`
}

const (
	halfAYear  = 26 * 7 // how far it looks back
	fewest     = 4      // same weekdays
	sameDays   = 8
	testedDays = 28
	trendDays  = 28
)

// past is what was counted on each day up to yesterday.
type past struct {
	first  calendar.Date
	visits []int64
	open   []bool // some space lived and was open
	alive  []bool
}

func (p *past) end() calendar.Date { return p.first.AddDays(len(p.visits)) }

func (p *past) at(d calendar.Date) int { return int(d - p.first) }

func (p *past) has(d calendar.Date) bool { return d >= p.first && d < p.end() && p.alive[p.at(d)] }

func forecast(ctx context.Context, s *scope, p forecastParams) (counted[forecastRow, forecastTotals], error) {
	answer := counted[forecastRow, forecastTotals]{interval: "day"}
	whole, peaks, err := s.pastDays(ctx)
	if err != nil {
		return answer, err
	}
	test, errors := whole.backtest()
	low, high := quantile(errors, 0.1), quantile(errors, 0.9)
	answer.totals.Backtest = test
	today := whole.end()
	trend := whole.trend(today)
	for d, open := today+1, 0; open < p.Horizon && d < today+halfAYear; d++ {
		row := forecastRow{Date: d, Basis: basis{Trend: Mean(trend)}, Backtest: test, State: "closed"}
		row.SameAsLastWeek = whole.weekBefore(d)
		if !s.opens(d) {
			none := Mean(0)
			row.Visits, row.Low, row.High, row.Peak = &none, &none, &none, &none
			answer.rows = append(answer.rows, row)
			continue
		}
		open++
		same := whole.sameWeekdays(d, today)
		row.Basis.N, row.State = int64(len(same)), "insufficient_history"
		if len(same) >= fewest {
			row.State = "ok"
			expected := whole.median(same) * trend
			row.Visits, row.Low, row.High = moved(expected, new(float64)), moved(expected, low), moved(expected, high)
			row.Peak = moved(peaks.median(same)*trend, new(float64))
		}
		answer.rows = append(answer.rows, row)
		answer.totals.add(row)
	}
	return answer, nil
}

// moved is an expectation, moved by a relative error; nil if that is not known.
func moved(expected float64, by *float64) *Mean {
	if by == nil {
		return nil
	}
	m := Mean(math.Max(0, expected*(1+*by)))
	return &m
}

func (t *forecastTotals) add(row forecastRow) {
	if row.Visits != nil {
		sum := *row.Visits
		if t.Visits != nil {
			sum += *t.Visits
		}
		t.Visits = &sum
	}
	if row.SameAsLastWeek != nil {
		sum := *row.SameAsLastWeek
		if t.SameAsLastWeek != nil {
			sum += *t.SameAsLastWeek
		}
		t.SameAsLastWeek = &sum
	}
}

// opens says whether any of the spaces is open on a day that may be to come.
func (s *scope) opens(d calendar.Date) bool {
	return slices.ContainsFunc(s.places, func(p *place) bool { return p.lives && p.calendar.IsOpen(d) })
}

// pastDays is the visits of each day up to yesterday, and the peaks.
func (s *scope) pastDays(ctx context.Context) (visits, peaks past, err error) {
	before := *s
	today := s.today()
	before.from, before.to = today-halfAYear, today
	before.mark()
	usage, err := dailyUsage(ctx, &before, dailyUsageParams{Interval: "day"})
	if err != nil {
		return visits, peaks, err
	}
	heights, err := occupancyPeak(ctx, &before, occupancyPeakParams{Interval: "day"})
	if err != nil {
		return visits, peaks, err
	}
	visits = past{
		first: before.from, visits: make([]int64, halfAYear), open: make([]bool, halfAYear), alive: make([]bool, halfAYear),
	}
	peaks = past{first: before.from, visits: make([]int64, halfAYear)}
	for i := range usage.rows {
		d := before.from.AddDays(i)
		visits.alive[i], visits.open[i] = s.anyAlive(d), s.anyOpen(d)
		if n := usage.rows[i].Visits; n != nil {
			visits.visits[i] = *n
		}
		if n := heights.rows[i].Peak; n != nil {
			peaks.visits[i] = *n
		}
	}
	return visits, peaks, nil
}

// sameWeekdays is the last open days of a date's weekday before a day, as indexes.
func (p *past) sameWeekdays(d, before calendar.Date) []int {
	var same []int
	last := before - 1
	for last.Weekday() != d.Weekday() {
		last--
	}
	for day := last; day >= p.first && len(same) < sameDays; day -= 7 {
		if i := p.at(day); p.alive[i] && p.open[i] {
			same = append(same, i)
		}
	}
	return same
}

// median is that of some days.
func (p *past) median(days []int) float64 {
	values := make([]int64, len(days))
	for i, day := range days {
		values[i] = p.visits[day]
	}
	slices.Sort(values)
	return *quantile(values, 0.5)
}

// trend is how much busier the 28 days before a day were than the 28 before those.
func (p *past) trend(before calendar.Date) float64 {
	if !p.has(before - 2*trendDays) {
		return 1
	}
	sum := func(from, to calendar.Date) (n float64) {
		for d := from; d < to; d++ {
			n += float64(p.visits[p.at(d)])
		}
		return n
	}
	earlier := sum(before-2*trendDays, before-trendDays)
	if earlier == 0 {
		return 1
	}
	return math.Min(math.Max(sum(before-trendDays, before)/earlier, 0.7), 1.3)
}

// weekBefore is the visits of the last day of a date's weekday; nil if nobody knows.
func (p *past) weekBefore(d calendar.Date) *int64 {
	for d >= p.end() {
		d -= 7
	}
	if !p.has(d) {
		return nil
	}
	return figure(p.visits[p.at(d)])
}

// backtest asks for the last open days as if they were to come, knowing only what was
// before each; errors are the relative ones, in order.
func (p *past) backtest() (test backtest, errors []float64) {
	var off, naive, visits float64
	for d := p.end() - 1; d >= p.first+7 && test.Days < testedDays; d-- {
		same := p.sameWeekdays(d, d)
		if !p.open[p.at(d)] || !p.has(d-7) || len(same) < fewest {
			continue
		}
		actual := float64(p.visits[p.at(d)])
		expected := p.median(same) * p.trend(d)
		test.Days++
		visits += actual
		off += math.Abs(actual - expected)
		naive += math.Abs(actual - float64(p.visits[p.at(d-7)]))
		if expected > 0 {
			errors = append(errors, (actual-expected)/expected)
		}
	}
	slices.Sort(errors)
	if visits > 0 {
		wape, naiveWape := Mean(off/visits), Mean(naive/visits)
		test.Wape, test.NaiveWape = &wape, &naiveWape
	}
	return test, errors
}
