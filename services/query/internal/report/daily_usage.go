package report

import (
	"context"

	"coworking/pkg/calendar"
	"coworking/pkg/fault"
	"coworking/pkg/slots"
)

// DailyUsage is how busy the spaces were, day by day.
var DailyUsage = define("daily_usage", Definition{
	Doc: "Check-ins, visits, distinct members and the hours they stayed, by visit day.",
	Counts: []string{
		"Every check-in counts, also one by token and one that only touches an open visit; a visit counts on the day it began.",
		"Visitor hours are the time inside, without time between a check-out and a return, times the people of a visit; a visit that goes on counts up to now.",
		"Unique members of a week, a month or the range are counted for it, never added up from days.",
	},
	Leaves: []string{
		"Anonymous visits are no members. Refusals at the door are no check-ins.",
		"With a filter, check-ins are those of the visits that pass it, and refusals are not known: nobody was let in.",
	},
	Reads:   "The sums of each visit day; for other days than the spaces' own, their quarters of an hour and the visits themselves.",
	Example: "from=2026-03-27&to=2026-04-02",
}, dailyUsage)

type dailyUsageParams struct {
	Common
	Filtered
	ByVisit
	Compared
	Interval string `param:"interval" enum:"day,week,month" default:"day" doc:"How many days a row counts."`
}

type dailyUsageRow struct {
	Date            calendar.Date `json:"date" doc:"The visit day, or the first day of the week or month."`
	Checkins        *int64        `json:"checkins" unit:"events" doc:"Check-ins, also those by token and those that only touched an open visit."`
	Visits          *int64        `json:"visits" unit:"visits" doc:"Visits that began."`
	UniqueMembers   *int64        `json:"unique_members" unit:"members" doc:"Different members among them."`
	AnonymousVisits *int64        `json:"anonymous_visits" unit:"visits" doc:"Visits of somebody unknown."`
	Failed          *int64        `json:"failed" unit:"events" doc:"Refusals at the door."`
	VisitorHours    *Hours        `json:"visitor_hours" unit:"hours" doc:"Time inside up to now, times the people of each visit."`
	Open            *int64        `json:"open" unit:"visits" doc:"Visits that have not ended."`
	Partial         bool          `json:"partial" doc:"The day is still running."`
}

type dailyUsageTotals struct {
	Checkins        *int64 `json:"checkins"`
	Visits          *int64 `json:"visits"`
	UniqueMembers   *int64 `json:"unique_members"`
	AnonymousVisits *int64 `json:"anonymous_visits"`
	Failed          *int64 `json:"failed"`
	VisitorHours    *Hours `json:"visitor_hours"`
	Open            *int64 `json:"open"`
	Partial         bool   `json:"partial"`
}

// usage is what a row, or the range, adds up to.
type usage struct {
	alive, partial                                            bool
	checkins, visits, members, anonymous, failed, dwell, open int64
}

func (u *usage) add(o usage) {
	u.alive = u.alive || o.alive
	u.partial = u.partial || o.partial
	u.checkins += o.checkins
	u.visits += o.visits
	u.anonymous += o.anonymous
	u.failed += o.failed
	u.dwell += o.dwell
	u.open += o.open
}

// tally is a daily usage in the making: a usage for each row.
type tally struct {
	*scope
	buckets buckets
	rows    []usage
	members int64 // of the range: they are fewer than the rows' sum
	ends    ends
}

func dailyUsage(ctx context.Context, s *scope, p dailyUsageParams) (counted[dailyUsageRow, dailyUsageTotals], error) {
	t := tally{scope: s, buckets: s.buckets(p.Interval)}
	t.rows = make([]usage, len(t.buckets.starts))
	t.markLives()

	count := t.countInstants
	switch {
	case s.filtered():
		count = t.countStays
	case s.wholeDays():
		count = t.countDays
	}
	if err := count(ctx); err != nil {
		return counted[dailyUsageRow, dailyUsageTotals]{}, err
	}
	return t.answer(p.Interval), nil
}

// markLives notes the rows in which any space lives, and those still running.
func (t *tally) markLives() {
	for _, p := range t.places {
		for d := t.from; d < t.to; d++ {
			if row := &t.rows[t.buckets.row(d)]; p.alive(d) {
				row.alive = true
				row.partial = row.partial || t.running(p, d)
			}
		}
	}
}

// countDays adds up whole visit days, and takes off what lies after asOf.
func (t *tally) countDays(ctx context.Context) error {
	asked := t.rangeOf(t.places)
	recalled, err := t.recallMembers(ctx, asked...)
	if err != nil {
		return err
	}
	var members, ofAll memberSet
	for d := t.from; d < t.to; d++ {
		row := t.buckets.row(d)
		for i, p := range t.places {
			if a := asked[i]; p.alive(d) && a.first <= d && d < a.stop {
				day := recalled[i][d-a.first]
				t.addDay(&t.rows[row], &day.sums)
				day.turnout.enter(&members)
			}
		}
		if d+1 == t.to || t.buckets.row(d+1) != row {
			t.rows[row].members = int64(members.size())
			ofAll.join(members)
			members.clear()
		}
	}
	t.members = int64(ofAll.size())
	return t.takeOffLater(ctx)
}

func (t *tally) addDay(row *usage, d *spaceDay) {
	row.add(usage{checkins: d.checkins, failed: d.failed, visits: d.visits, anonymous: d.anonymous, dwell: d.dwell})
	t.ends.all += d.visits
	t.ends.estimated += d.estimated
}

// takeOffLater takes off what lies after asOf.
func (t *tally) takeOffLater(ctx context.Context) error {
	open, err := t.openStays(ctx)
	for _, v := range open {
		if !v.place.alive(v.day) {
			continue
		}
		t.rows[t.buckets.row(v.day)].add(usage{open: 1, dwell: -v.dwell(window{t.asOf, v.out})})
		t.ends.all--
		if !v.explicit {
			t.ends.estimated--
		}
	}
	return err
}

// countInstants adds up days that are not the spaces' own, or are cut: events by
// their slots, and each visit where it began.
func (t *tally) countInstants(ctx context.Context) error {
	if err := t.countEvents(ctx); err != nil {
		return err
	}
	return t.countStays(ctx)
}

// countStays adds up each visit where it began, and who had them. With a filter, its
// check-ins are all that can be told of events.
func (t *tally) countStays(ctx context.Context) error {
	if err := t.addStays(ctx); err != nil {
		return err
	}
	return t.countMembers(ctx)
}

func (t *tally) addStays(ctx context.Context) error {
	for v, err := range t.walk(ctx, t.inRange()) {
		if err != nil {
			return err
		}
		date := v.place.grid.DayAt(v.in)
		if !t.instants(v.place).holds(v.in) || !v.place.alive(date) {
			continue
		}
		u := usage{visits: 1, dwell: v.dwell(window{v.in, t.asOf})}
		if t.filtered() {
			u.checkins = v.touches
		}
		if v.member == 0 {
			u.anonymous = 1
		}
		if v.out > t.asOf {
			u.open = 1
		}
		t.rows[t.buckets.row(date)].add(u)
		t.ends.count(v, t.asOf)
	}
	return nil
}

// countEvents adds up check-ins and refusals by slots. Where the range cuts a
// slot, the events themselves are counted.
func (t *tally) countEvents(ctx context.Context) error {
	days, err := t.spaceDays(ctx)
	if err != nil {
		return err
	}
	for _, d := range days {
		start, _ := d.place.calendar.Span(d.date)
		counters, err := slots.Decode(d.slots)
		if err != nil {
			return fault.Internal.Errorf("slots of %s on %s: %w", d.place.name, d.date, err)
		}
		whole, _ := slotted(t.instants(d.place))
		for i := range counters.Len() {
			at := start + int64(i)*slotLength
			if n := counters.Sum(i, i+1); whole.holds(at) {
				t.addEvents(d.place, at, n.Checkins, n.Failed)
			}
		}
	}
	return t.countCutSlots(ctx)
}

func (t *tally) countCutSlots(ctx context.Context) error {
	var cut stretches
	var places []*place
	for _, p := range t.places {
		_, rest := slotted(t.instants(p))
		for _, w := range rest {
			if !w.empty() {
				cut.add(p, w)
				places = append(places, p)
			}
		}
	}
	counted, err := t.edges(ctx, cut)
	for i, e := range counted {
		t.addEvents(places[i], cut.starts[i].UnixMicro(), e.checkins, e.failed)
	}
	return err
}

func (t *tally) addEvents(p *place, at, checkins, failed int64) {
	if date := p.grid.DayAt(at); p.alive(date) {
		t.rows[t.buckets.row(date)].add(usage{checkins: checkins, failed: failed})
	}
}

const slotLength = int64(slots.Length / 1000)

// slotted is the whole slots of a window, and what is left of it before and after.
func slotted(w window) (whole window, rest [2]window) {
	whole = window{w.start + mod(-w.start, slotLength), w.end - mod(w.end, slotLength)}
	if whole.empty() {
		return window{}, [2]window{w}
	}
	return whole, [2]window{{w.start, whole.start}, {whole.end, w.end}}
}

// countMembers counts the different members of each row, and of the range.
func (t *tally) countMembers(ctx context.Context) error {
	asked := make(windows, 0, len(t.places)*int(t.to-t.from))
	for _, p := range t.places {
		for d := t.from; d < t.to; d++ {
			if p.alive(d) {
				asked.add(t.buckets.row(d), p, t.span(p, d))
			}
		}
	}
	ofRow, ofAll, err := t.distinct(ctx, asked, len(t.rows))
	for i, members := range ofRow {
		t.rows[i].members = members
	}
	t.members = ofAll
	return err
}

func (t *tally) answer(interval string) counted[dailyUsageRow, dailyUsageTotals] {
	answer := counted[dailyUsageRow, dailyUsageTotals]{
		rows:     make([]dailyUsageRow, len(t.rows)),
		interval: interval,
		ends:     t.ends,
	}
	total := usage{members: t.members}
	for i := range t.rows {
		u := &t.rows[i]
		total.add(*u)
		answer.rows[i] = dailyUsageRow{
			Date:            t.buckets.starts[i],
			Checkins:        u.known(u.checkins),
			Visits:          u.known(u.visits),
			UniqueMembers:   u.known(u.members),
			AnonymousVisits: u.known(u.anonymous),
			Failed:          t.refusals(u),
			VisitorHours:    u.hours(),
			Open:            u.known(u.open),
			Partial:         u.partial,
		}
		answer.partialLast = u.partial
	}
	answer.totals = dailyUsageTotals{
		Checkins:        total.known(total.checkins),
		Visits:          total.known(total.visits),
		UniqueMembers:   total.known(total.members),
		AnonymousVisits: total.known(total.anonymous),
		Failed:          t.refusals(&total),
		VisitorHours:    total.hours(),
		Open:            total.known(total.open),
		Partial:         total.partial,
	}
	return answer
}

// refusals is the refusals at the door; no visit says whose they were.
func (t *tally) refusals(u *usage) *int64 {
	if t.filtered() {
		return nil
	}
	return u.known(u.failed)
}

// known is a figure within the life of a space, null outside of it.
func (u *usage) known(n int64) *int64 {
	if !u.alive {
		return nil
	}
	return &n
}

func (u *usage) hours() *Hours {
	if !u.alive {
		return nil
	}
	h := Hours(u.dwell)
	return &h
}
