package report

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"coworking/pkg/calendar"
)

// Streaks is who keeps coming, week after week.
var Streaks = define("streaks", Definition{
	Doc: "How many members have come in how many consecutive weeks, up to the last week of the range.",
	Counts: []string{
		"A streak is the weeks with at least one visit that began, one after the other, up to the last week of the range or the running one; it looks back without limit, also to before the range.",
		"A week in which every space was closed all week is skipped: it neither counts nor breaks a streak.",
		"The running week counts for who has come already, and breaks nobody's streak.",
		"With top, rows are members instead, the longest streaks first.",
	},
	Leaves:  []string{"Members whose streak is broken, and anonymous visits."},
	Reads:   "When each visit of every member began.",
	Example: "",
}, streaks)

type streaksParams struct {
	Common
	Top *int `param:"top" least:"1" most:"1000" personal:"true" doc:"Name so many members, with the longest streaks. Needs members:read."`
}

type streaksRow struct {
	Weeks   int64   `json:"weeks" unit:"weeks" doc:"How long the streak is."`
	Members int64   `json:"members" unit:"members" doc:"How many members have one of that length."`
	Member  *string `json:"member" doc:"Who, with top; else null."`

	number int32
}

type streaksTotals struct {
	Weeks   *int64 `json:"weeks" doc:"The longest streak; null if nobody has one."`
	Members int64  `json:"members" doc:"Members with a streak."`
}

func streaks(ctx context.Context, s *scope, p streaksParams) (counted[streaksRow, streaksTotals], error) {
	answer := counted[streaksRow, streaksTotals]{interval: "week"}
	came, err := s.attendance(ctx)
	if err != nil {
		return answer, err
	}
	lengths := s.streaksOf(came)
	members := map[int64]int64{}
	for _, n := range lengths {
		if n > 0 {
			members[n]++
			answer.totals.Members++
			if answer.totals.Weeks == nil || n > *answer.totals.Weeks {
				answer.totals.Weeks = figure(n)
			}
		}
	}
	if p.Top != nil {
		answer.rows, err = s.longest(ctx, lengths, *p.Top)
		return answer, err
	}
	for _, n := range slices.Backward(slices.Sorted(maps.Keys(members))) {
		answer.rows = append(answer.rows, streaksRow{Weeks: n, Members: members[n]})
	}
	return answer, nil
}

// streaksOf is how many weeks each member has come up to the last one, by number.
func (s *scope) streaksOf(came attendance) []int64 {
	last := weekOf(min(s.to-1, s.today()), s.asked.week())
	running := s.to > s.today()
	closed := s.closedWeeks()
	keeping := came.during(came.first, s.to) // their streaks are not broken so far
	lengths := make([]int64, 64*len(keeping.bits))
	for week := last; keeping.size() > 0 && week+7 > came.first; week -= 7 {
		here := came.during(week, min(week+7, s.to))
		here.keep(keeping)
		here.each(func(member int32) { lengths[member]++ })
		if skipped := week == last && running || closed(week); !skipped {
			keeping = here
		}
	}
	return lengths
}

// closedWeeks says of a week whether every space was closed all through it. Each week
// is looked at once.
func (s *scope) closedWeeks() func(week calendar.Date) bool {
	known := map[calendar.Date]bool{}
	return func(week calendar.Date) bool {
		if closed, ok := known[week]; ok {
			return closed
		}
		closed := len(s.places) > 0
		for _, p := range s.places {
			for d := week; d < week+7; d++ {
				closed = closed && !p.calendar.IsOpen(d)
			}
		}
		known[week] = closed
		return closed
	}
}

// longest is the members with the longest streaks.
func (s *scope) longest(ctx context.Context, lengths []int64, top int) ([]streaksRow, error) {
	var rows []streaksRow
	for member, n := range lengths {
		if n > 0 {
			rows = append(rows, streaksRow{Weeks: n, Members: 1, number: int32(member)})
		}
	}
	slices.SortFunc(rows, func(a, b streaksRow) int {
		return cmp.Or(cmp.Compare(b.Weeks, a.Weeks), cmp.Compare(a.number, b.number))
	})
	rows = rows[:min(len(rows), top)]
	numbers := make([]int32, len(rows))
	for i, r := range rows {
		numbers[i] = r.number
	}
	members, err := s.members(ctx, numbers)
	for i := range rows {
		name := members[rows[i].number].name
		rows[i].Member = &name
	}
	return rows, err
}
