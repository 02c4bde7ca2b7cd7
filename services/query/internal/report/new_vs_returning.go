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

// comer is what a member was in a row, or in the range.
type comer struct{ isNew, isBack bool }

func newVsReturning(ctx context.Context, s *scope, p newVsReturningParams) (counted[newVsReturningRow, newVsReturningTotals], error) {
	answer := counted[newVsReturningRow, newVsReturningTotals]{interval: p.Interval, partialLast: s.anyRunning(s.to - 1)}
	history, err := s.history(ctx, p.Scope == "any")
	if err != nil {
		return answer, err
	}
	b := s.buckets(p.Interval)
	rows := make([]map[int32]comer, len(b.starts))
	alive := make([]bool, len(b.starts))
	for d := s.from; d < s.to; d++ {
		row := b.row(d)
		alive[row] = alive[row] || s.anyAlive(d)
	}
	ranged := map[int32]comer{}
	var before arrival // the visit before, of the same member
	for _, a := range history {
		first := before.member != a.member
		last := before
		before = a
		place := s.place(a.space)
		if place == nil || !s.instants(place).holds(a.in) || !place.alive(s.date(a)) {
			continue
		}
		date := s.date(a)
		row := b.row(date)
		if rows[row] == nil {
			rows[row] = map[int32]comer{}
		}
		if _, came := rows[row][a.member]; !came { // the first of the row tells
			rows[row][a.member] = comer{isNew: first, isBack: !first && date-s.date(last) >= awayDays}
		}
		was := ranged[a.member]
		is := rows[row][a.member]
		ranged[a.member] = comer{was.isNew || is.isNew, was.isBack || is.isBack}
	}
	for i, start := range b.starts {
		r := newVsReturningRow{Start: start}
		if alive[i] {
			r.New, r.Returning, r.Reactivated = tallied(rows[i])
		}
		answer.rows = append(answer.rows, r)
		if alive[i] {
			t := &answer.totals
			t.New, t.Returning, t.Reactivated = tallied(ranged)
		}
	}
	return answer, nil
}

func tallied(members map[int32]comer) (fresh, returning, reactivated *int64) {
	fresh, returning, reactivated = new(int64), new(int64), new(int64)
	for _, m := range members {
		if m.isNew {
			*fresh++
			continue
		}
		*returning++
		if m.isBack {
			*reactivated++
		}
	}
	return fresh, returning, reactivated
}
