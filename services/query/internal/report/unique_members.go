package report

import (
	"context"

	"coworking/pkg/calendar"
)

// UniqueMembers is how many different members came.
var UniqueMembers = define("unique_members", Definition{
	Doc: "Different members with a visit, by day, week or month, and over the 7 and 28 days up to it; never summed from parts.",
	Counts: []string{
		"A member counts once in a row, however often and in however many spaces a visit began.",
		"The rolling figures look back from the row's last day, or from today, also to before the range.",
		"Stickiness is the mean day's unique members ÷ those of the range; the mean divides by open days, or by all with days=calendar.",
	},
	Leaves:  []string{"Anonymous visits: nobody knows whether they are of different people."},
	Reads:   "Who had a visit on each day of the range and of the 27 days before it.",
	Example: "from=2026-03-27&to=2026-04-02",
}, uniqueMembers)

type uniqueMembersParams struct {
	Common
	Filtered
	ByVisit
	Compared
	Days
	Interval string `param:"interval" enum:"day,week,month" default:"day" doc:"How many days a row counts."`
}

type uniqueMembersRow struct {
	Start         calendar.Date `json:"start" doc:"The day, or the first day of the week or month."`
	UniqueMembers *int64        `json:"unique_members" unit:"members" doc:"Different members with a visit that began then."`
	Rolling7d     *int64        `json:"rolling_7d" unit:"members" doc:"Different members in the 7 days that end with the row's last day, or with today."`
	Rolling28d    *int64        `json:"rolling_28d" unit:"members" doc:"The same of 28 days."`
}

type uniqueMembersTotals struct {
	UniqueMembers *int64 `json:"unique_members"`
	Rolling7d     *int64 `json:"rolling_7d"`
	Rolling28d    *int64 `json:"rolling_28d"`
	Stickiness    *Mean  `json:"stickiness" unit:"share" doc:"The mean day's unique members ÷ those of the range."`
}

// monthly is the days before a row that its rolling figures look back on.
const monthly = 28

// crowd is who came on each date: those of the range, and before it, as far as
// rolling figures look back, those who count for nothing else.
type crowd struct {
	*scope
	from    calendar.Date // the earliest date
	within  [][]int32     // members by date since from, seen within the range
	earlier [][]int32     // members by date since from, seen before it
}

func uniqueMembers(ctx context.Context, s *scope, p uniqueMembersParams) (counted[uniqueMembersRow, uniqueMembersTotals], error) {
	c, err := s.crowd(ctx)
	if err != nil {
		return counted[uniqueMembersRow, uniqueMembersTotals]{}, err
	}
	b := s.buckets(p.Interval)
	rows := make([]uniqueMembersRow, len(b.starts))
	for i, start := range b.starts {
		rows[i].Start = start
	}

	var (
		totals    uniqueMembersTotals
		daily     int64 // the days' unique members, added up
		days      int64 // what the mean day divides by
		ranged    = map[int32]bool{}
		ofRow     = map[int32]bool{}
		row       = -1
		last7     = newRolling(7)
		last28    = newRolling(monthly)
		aliveLast bool
	)
	for d := c.from; d < s.to; d++ {
		within, earlier := c.on(d)
		for _, members := range [][]int32{earlier, within} {
			last7.see(d, members)
			last28.see(d, members)
		}
		if d < s.from {
			continue
		}
		if b.row(d) != row {
			row = b.row(d)
			clear(ofRow)
		}
		for _, m := range within {
			ofRow[m], ranged[m] = true, true
		}
		aliveLast = s.anyAlive(d)
		if !aliveLast {
			continue
		}
		daily += int64(len(within))
		if p.Days.Days == "calendar" || s.anyOpen(d) {
			days++
		}
		r := &rows[row]
		r.UniqueMembers = figure(len(ofRow))
		r.Rolling7d, r.Rolling28d = figure(last7.count(d)), figure(last28.count(d))
		totals.UniqueMembers, totals.Rolling7d, totals.Rolling28d = figure(len(ranged)), r.Rolling7d, r.Rolling28d
	}
	totals.Stickiness = mean(daily, days*int64(len(ranged)))
	return counted[uniqueMembersRow, uniqueMembersTotals]{
		rows: rows, totals: totals, interval: p.Interval,
		partialLast: s.anyRunning(s.to - 1),
	}, nil
}

// crowd reads who came on each date of the range and of the days before it.
func (s *scope) crowd(ctx context.Context) (crowd, error) {
	c := crowd{scope: s, from: s.from - (monthly - 1)}
	days := int(s.to - c.from)
	c.within, c.earlier = make([][]int32, days), make([][]int32, days)

	var asked windows
	for _, p := range s.places {
		begin := s.instants(p).start
		for d := c.from; d < s.to; d++ {
			if !p.alive(d) {
				continue
			}
			start, end := p.grid.Span(d)
			day := window{start, min(end, s.clip.end)}
			asked.add(int(d-c.from), p, window{max(day.start, begin), day.end})
			asked.add(days+int(d-c.from), p, day.before(begin))
		}
	}
	err := s.gather(ctx, asked, func(row int, came *memberSet) {
		on := &c.within
		if row >= days {
			row, on = row-days, &c.earlier
		}
		came.each(func(member int32) { (*on)[row] = append((*on)[row], member) })
	})
	return c, err
}

// on is who was seen on a date, within the range and before it.
func (c *crowd) on(d calendar.Date) (within, earlier []int32) {
	return c.within[d-c.from], c.earlier[d-c.from]
}

// rolling counts the different members of the last so many days, each by the
// last day that they were seen on.
type rolling struct {
	days     int
	lastSeen map[int32]calendar.Date
	on       map[calendar.Date]int
}

func newRolling(days int) *rolling {
	return &rolling{days: days, lastSeen: map[int32]calendar.Date{}, on: map[calendar.Date]int{}}
}

// see notes the members of a date; dates come in order.
func (r *rolling) see(d calendar.Date, members []int32) {
	for _, m := range members {
		if last, before := r.lastSeen[m]; before {
			r.on[last]--
		}
		r.lastSeen[m] = d
		r.on[d]++
	}
}

// count is the different members of the days that end with d.
func (r *rolling) count(d calendar.Date) int {
	n := 0
	for back := range r.days {
		n += r.on[d.AddDays(-back)]
	}
	return n
}
