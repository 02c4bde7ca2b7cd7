package report

import (
	"context"
	"fmt"
	"math"
	"slices"

	"coworking/pkg/calendar"
)

// Lapsed is who may not come back.
var Lapsed = define("lapsed", Definition{
	Doc:      "Members who stay away for longer than they use to, or never came.",
	Personal: true,
	Counts: []string{
		"The gap is the open days since the last visit, today included: of the days on which any of the spaces is open.",
		"It is set against the expected gap: 80 of 100 of the member's own gaps in the last 180 days were no longer. With fewer than 4 visit days in them it is the median of the members on the same plan, or of all: baseline tells.",
		"The ratio is gap ÷ expected gap, which counts as at least 3. watch: 1.5 or more; at_risk: 2.5; lapsed: 4, or a gap of 45 open days.",
		"never: joined 14 days ago or more, and had no visit. fading: none of these, but the visit days of the last 28 days are at most half of the mean of the three times 28 days before.",
	},
	Leaves: []string{
		"Members whom an event says to be inactive, and those in no state.",
		"It is about now, whatever range is asked for. A key of some spaces sees members only whom it has seen there.",
	},
	Reads:   "When each visit of every member began, and what is known of members.",
	Example: "",
}, lapsed)

type lapsedParams struct {
	Present
	Paged
	State []string `param:"state" enum:"watch,at_risk,lapsed,never,fading" doc:"Only members in one of these states."`
}

type lapsedRow struct {
	Member            string   `json:"member" doc:"Who."`
	State             string   `json:"state" doc:"watch, at_risk, lapsed, never or fading."`
	SinceLastOpenDays *int64   `json:"since_last_open_days" unit:"days" doc:"Open days since the last visit; null if there was none."`
	ExpectedGap       *Mean    `json:"expected_gap" unit:"days" doc:"Open days after which they use to be back; null if nobody's gaps tell."`
	Ratio             *Mean    `json:"ratio" doc:"The gap ÷ the expected one."`
	VisitDays28       int64    `json:"visit_days_28" unit:"days" doc:"Days with a visit among the last 28."`
	VisitDaysPrev     Mean     `json:"visit_days_prev" unit:"days" doc:"The same of the 84 days before, a third of them."`
	Reasons           []string `json:"reasons" doc:"Why, in words."`
	Baseline          *string  `json:"baseline" doc:"Whose gaps are expected: own, plan or all; null without any."`

	number int32
}

type lapsedTotals struct {
	Members int64 `json:"members" unit:"members" doc:"Members in any of the states that were asked for, on all pages."`
	Watch   int64 `json:"watch" unit:"members" doc:"Of these, to be watched."`
	AtRisk  int64 `json:"at_risk" unit:"members" doc:"At risk."`
	Lapsed  int64 `json:"lapsed" unit:"members" doc:"Lapsed."`
	Never   int64 `json:"never" unit:"members" doc:"Never came."`
	Fading  int64 `json:"fading" unit:"members" doc:"Fading."`
}

const (
	gapsOver     = 180 // days
	enoughVisits = 4   // days
	leastGap     = 3.0 // open days
	block        = 28  // days
	blocksBefore = 3
	lapsedGap    = 45 // open days
	joinedBefore = 14 // days
)

// habit is how a member comes.
type habit struct {
	days     []calendar.Date // with a visit, in order: the last one, and those of the half year
	gap      int64           // open days since the last
	expected *float64
	baseline string
}

func lapsed(ctx context.Context, s *scope, p lapsedParams) (counted[lapsedRow, lapsedTotals], error) {
	answer := counted[lapsedRow, lapsedTotals]{}
	members, err := s.everybody(ctx)
	if err != nil {
		return answer, err
	}
	habits, err := s.habits(ctx, members)
	if err != nil {
		return answer, err
	}
	var handed map[int32]int64 // to those without a visit: asked only where they may be nobody's business
	if s.question.Visible != nil {
		handed, err = s.tokensIssued(ctx, members, func(number int32) bool { return habits[number] == nil })
		if err != nil {
			return answer, err
		}
	}
	for number, m := range members {
		h := habits[number]
		unknown := s.question.Visible != nil && h == nil && handed[number] == 0
		if m.active != nil && !*m.active || unknown {
			continue
		}
		row := s.judge(m, h)
		if row.State != "" && (p.State == nil || slices.Contains(p.State, row.State)) {
			answer.rows = append(answer.rows, row)
			answer.totals.count(row.State)
		}
	}
	answer.rows, answer.next = page(s, answer.rows, func(r *lapsedRow) rowPlace {
		if r.Ratio == nil {
			return rowPlace{math.MaxFloat64, r.number}
		}
		return rowPlace{-float64(*r.Ratio), r.number}
	})
	return answer, nil
}

func (t *lapsedTotals) count(state string) {
	t.Members++
	switch state {
	case "watch":
		t.Watch++
	case "at_risk":
		t.AtRisk++
	case "lapsed":
		t.Lapsed++
	case "never":
		t.Never++
	default:
		t.Fading++
	}
}

// habits is how each member comes who ever came.
func (s *scope) habits(ctx context.Context, members map[int32]member) (map[int32]*habit, error) {
	came, err := s.attendance(ctx)
	if err != nil {
		return nil, err
	}
	habits := map[int32]*habit{}
	today := s.today()
	first := today
	var seen memberSet
	for d := today; d >= came.first; d-- {
		here := came.on(d)
		if d <= today-gapsOver { // only the last visit matters
			here = here.without(seen)
		}
		here.each(func(member int32) {
			if seen.add(member) {
				habits[member] = &habit{}
			}
			habits[member].days = append(habits[member].days, d)
			first = d
		})
	}
	open := s.openDays(first)
	var everybody []float64
	ofPlan := map[int32][]float64{}
	for number, h := range habits {
		slices.Reverse(h.days)
		h.gap = open.between(h.days[len(h.days)-1], s.today())
		if h.expected = open.usualGap(h.days, s.today()); h.expected != nil {
			h.baseline = "own"
			everybody = append(everybody, *h.expected)
			ofPlan[members[number].plan] = append(ofPlan[members[number].plan], *h.expected)
		}
	}
	slices.Sort(everybody)
	for plan := range ofPlan {
		slices.Sort(ofPlan[plan])
	}
	for number, h := range habits {
		if plan := members[number].plan; h.expected == nil && plan != 0 {
			h.expected, h.baseline = quantile(ofPlan[plan], 0.5), "plan"
		}
		if h.expected == nil {
			h.expected, h.baseline = quantile(everybody, 0.5), "all"
		}
	}
	return habits, nil
}

// openDays counts the open days since a date: those on which any of the spaces is open.
type openDays struct {
	first calendar.Date
	until []int64 // how many there were up to a day, itself included
}

func (s *scope) openDays(first calendar.Date) openDays {
	o := openDays{first: first}
	var n int64
	for d := first; d <= s.today(); d++ {
		if slices.ContainsFunc(s.places, func(p *place) bool { return p.calendar.IsOpen(d) }) {
			n++
		}
		o.until = append(o.until, n)
	}
	return o
}

// between is the open days after one date, up to another.
func (o openDays) between(from, to calendar.Date) int64 {
	return o.until[to-o.first] - o.until[from-o.first]
}

// usualGap is the gap that four of five of the last half year's are no longer than; nil
// with too few visits.
func (o openDays) usualGap(days []calendar.Date, today calendar.Date) *float64 {
	recent := days[max(0, len(days)-lastDays(days, today-gapsOver)):]
	if len(recent) < enoughVisits {
		return nil
	}
	var gaps []int64
	for i := 1; i < len(recent); i++ {
		gaps = append(gaps, o.between(recent[i-1], recent[i]))
	}
	slices.Sort(gaps)
	return quantile(gaps, 0.8)
}

// lastDays is how many of the days are after one.
func lastDays(days []calendar.Date, after calendar.Date) int {
	i, _ := slices.BinarySearch(days, after+1)
	return len(days) - i
}

// judge is a member's row; its state is "" if all is well.
func (s *scope) judge(m member, h *habit) lapsedRow {
	row := lapsedRow{Member: m.name, Reasons: []string{}, number: m.number}
	today := s.today()
	if h == nil {
		if m.joined != nil {
			if days := int64(today) - int64(s.joinedOn(*m.joined)); days >= joinedBefore {
				row.State = "never"
				row.Reasons = append(row.Reasons, fmt.Sprintf("joined %d days ago and never came", days))
			}
		}
		return row
	}
	row.SinceLastOpenDays = &h.gap
	recent := int64(lastDays(h.days, today-block))
	before := int64(lastDays(h.days, today-block*(1+blocksBefore))) - recent
	row.VisitDays28, row.VisitDaysPrev = recent, Mean(float64(before)/blocksBefore)
	ratio := 0.0
	if h.expected != nil {
		ratio = float64(h.gap) / math.Max(*h.expected, leastGap)
		expected, r := Mean(*h.expected), Mean(ratio)
		row.ExpectedGap, row.Ratio, row.Baseline = &expected, &r, &h.baseline
	}
	switch {
	case ratio >= 4 || h.gap >= lapsedGap:
		row.State = "lapsed"
	case ratio >= 2.5:
		row.State = "at_risk"
	case ratio >= 1.5:
		row.State = "watch"
	case before > 0 && 2*blocksBefore*recent <= before:
		row.State = "fading"
		row.Reasons = append(row.Reasons, fmt.Sprintf("came on %d of the last 28 days, on %s before", recent, row.VisitDaysPrev))
		return row
	default:
		return row
	}
	row.Reasons = append(row.Reasons, fmt.Sprintf("away for %d open days", h.gap))
	if row.ExpectedGap != nil {
		row.Reasons = append(row.Reasons, fmt.Sprintf("%s %s", usually[h.baseline], row.ExpectedGap))
	}
	return row
}

// usually is whose gaps are meant, before their length.
var usually = map[string]string{
	"own": "usually back after", "plan": "others on the plan are back after", "all": "others are back after",
}

// joinedOn is the date of an instant: of the zone that was asked for, or of the first
// space.
func (s *scope) joinedOn(at int64) calendar.Date { return slices.Max(s.dates(at)) }
