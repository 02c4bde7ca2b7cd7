package report

import (
	"context"

	"coworking/pkg/calendar"
)

// NewVsReturning is who came for the first time, and who came back.
var NewVsReturning = define("new_vs_returning", Definition{
	Doc:      "Different members by day, week or month: who came for the first time ever, who came again, and who was back after a long time.",
	Anywhere: true,
	Counts: []string{
		"New is a member whose first visit ever began then: the first in any space, or with scope=space the first in those that are asked for. It is never the first of the range.",
		"Returning is every other member with a visit then; reactivated are those among them whose visit before was 60 days or more ago, by the calendar.",
		"In the totals a member is new if they were so in any row, and reactivated likewise; returning is every member who was not new.",
	},
	Leaves:  []string{"Anonymous visits. When a member joined does not matter: members do come before they join."},
	Reads:   "When each visit of every member began.",
	Example: "from=2026-03-30&to=2026-04-01&space=berlin&space=kathmandu",
}, newVsReturning)

type newVsReturningParams struct {
	Common
	BySpace
	Compared
	Interval string `param:"interval" enum:"day,week,month" default:"day" doc:"How many days a row counts."`
	Scope    string `param:"scope" enum:"any,space" default:"any" doc:"Whose first visit: to any space, or to those that are asked for."`
}

type newVsReturningRow struct {
	Start       calendar.Date `json:"start" doc:"The day, or the first day of the week or month."`
	New         *int64        `json:"new" unit:"members" doc:"Members whose first visit ever began then."`
	Returning   *int64        `json:"returning" unit:"members" doc:"Members with a visit who had come before."`
	Reactivated *int64        `json:"reactivated" unit:"members" doc:"Of these, back after 60 days or more."`
}

type newVsReturningTotals struct {
	New         *int64 `json:"new"`
	Returning   *int64 `json:"returning"`
	Reactivated *int64 `json:"reactivated"`
}

// awayDays is how long somebody was away who is reactivated.
const awayDays = 60

// comers is who came in a row, or in the range: for the first time ever, or after so long.
type comers struct{ all, fresh, back memberSet }

func newVsReturning(ctx context.Context, s *scope, p newVsReturningParams) (counted[newVsReturningRow, newVsReturningTotals], error) {
	answer := counted[newVsReturningRow, newVsReturningTotals]{interval: p.Interval, partialLast: s.anyRunning(s.to - 1)}
	b := s.buckets(p.Interval)
	rows := make([]comers, len(b.starts))
	alive := make([]bool, len(b.starts))
	for d := s.from; d < s.to; d++ {
		row := b.row(d)
		alive[row] = alive[row] || s.anyAlive(d)
	}
	err := s.history(ctx, p.Scope == "any", s.extent(), func(before, a arrival) {
		place := s.place(a.space)
		if place == nil || !s.instants(place).holds(a.in) {
			return
		}
		date := place.grid.DayAt(a.in) // of a visit that waits to be filed anew its day may be another
		if !place.alive(date) {
			return
		}
		row := &rows[b.row(date)]
		switch {
		case !row.all.add(a.member): // the first of the row tells
		case before.member == 0:
			row.fresh.add(a.member)
		case date-s.date(before) >= awayDays:
			row.back.add(a.member)
		}
	})
	if err != nil {
		return answer, err
	}
	var ranged comers
	for i := range rows {
		ranged.join(&rows[i])
	}
	for i, start := range b.starts {
		r := newVsReturningRow{Start: start}
		if alive[i] {
			r.New, r.Returning, r.Reactivated = rows[i].tallied()
		}
		answer.rows = append(answer.rows, r)
		if alive[i] {
			t := &answer.totals
			t.New, t.Returning, t.Reactivated = ranged.tallied()
		}
	}
	return answer, nil
}

// extent is from where the range begins in any of the spaces to where it has ended in all.
func (s *scope) extent() window {
	all := window{distantFuture, distantPast}
	for _, p := range s.places {
		w := s.instants(p)
		all = window{min(all.start, w.start), max(all.end, w.end)}
	}
	return all
}

func (c *comers) join(o *comers) {
	c.all.join(o.all)
	c.fresh.join(o.fresh)
	c.back.join(o.back)
}

func (c *comers) tallied() (fresh, returning, reactivated *int64) {
	return figure(c.fresh.size()), figure(c.all.size() - c.fresh.size()), figure(c.back.size() - c.back.shared(c.fresh))
}
