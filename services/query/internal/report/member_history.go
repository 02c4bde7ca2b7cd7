package report

import (
	"context"
	_ "embed"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/fault"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// MemberHistory is when somebody came and went.
var MemberHistory = define("member_history", Definition{
	Doc:      "A member's visits, the latest first.",
	Personal: true,
	Counts: []string{
		"A visit is listed on the day it began. Its end is what a check-out said, or was inferred: end_reason tells.",
		"hours is the time inside, without time between a check-out and a return, for one person, up to now.",
		"q finds members by a part of their id or name; if it finds several, all of them are listed. With neither, everybody is.",
	},
	Leaves:  []string{"Visits to spaces that the asker may not see. Somebody who is not known has no rows."},
	Reads:   "The member's visits of the range's days.",
	Example: "member=ada&from=2026-03-27&to=2026-04-02",
}, memberHistory)

type memberHistoryParams struct {
	Common
	Paged
	Member *string `param:"member" doc:"Who, by id."`
	Q      *string `param:"q" doc:"Instead of member: a part of an id or a name, of two characters or more; capitals do not matter."`
}

type memberHistoryRow struct {
	Date      calendar.Date `json:"date" doc:"The day of the visit."`
	Member    string        `json:"member" doc:"Who."`
	Space     string        `json:"space" doc:"Where."`
	In        time.Time     `json:"in" doc:"When it began."`
	Out       *time.Time    `json:"out" doc:"When it ended; null as long as it has not."`
	EndReason string        `json:"end_reason" doc:"explicit: a check-out; timeout or cutoff: inferred, after the default stay or at the day's end; open: it has not ended."`
	Method    *string       `json:"method" doc:"How they came in; null if the door did not say."`
	Plan      *string       `json:"plan" doc:"The plan of the visit, or theirs at that time; null if nobody said."`
	Hours     Hours         `json:"hours" unit:"hours" doc:"Time inside."`

	place rowPlace
}

type memberHistoryTotals struct {
	Visits int64 `json:"visits" unit:"visits" doc:"Visits, on all pages."`
	Hours  Hours `json:"hours"`
}

var (
	//go:embed find_members.sql
	findMembersSQL string
	//go:embed member_stays.sql
	memberStaysSQL string
)

func memberHistory(ctx context.Context, s *scope, p memberHistoryParams) (counted[memberHistoryRow, memberHistoryTotals], error) {
	answer := counted[memberHistoryRow, memberHistoryTotals]{}
	numbers, err := s.findMembers(ctx, p)
	if err != nil {
		return answer, err
	}
	stays, err := s.staysOf(ctx, numbers)
	if err != nil {
		return answer, err
	}
	members, err := s.members(ctx, membersOf(stays)...)
	if err != nil {
		return answer, err
	}
	for i := range stays {
		v := &stays[i]
		date := v.place.grid.DayAt(v.in)
		if !s.instants(v.place).holds(v.in) || v.in > s.asOf {
			continue
		}
		row := memberHistoryRow{
			Date: date, Member: members[v.member].name, Space: v.place.name, In: s.shown(v.place, v.in), EndReason: v.endReason(s.asOf),
			Hours: Hours(v.dwell(window{v.in, s.asOf})),
			place: rowPlace{-float64(v.in), v.member ^ v.place.id<<20},
		}
		if v.out <= s.asOf {
			out := s.shown(v.place, v.out)
			row.Out = &out
		}
		if row.Method, err = s.word(ctx, v.method); err != nil {
			return answer, err
		}
		if row.Plan, err = s.word(ctx, v.plan); err != nil {
			return answer, err
		}
		answer.ends.count(v, s.asOf)
		answer.rows = append(answer.rows, row)
		answer.totals.Visits++
		answer.totals.Hours += row.Hours
	}
	answer.rows, answer.next = page(s, answer.rows, func(r *memberHistoryRow) rowPlace { return r.place })
	return answer, err
}

// findMembers is the numbers of those who are asked for; nil is everybody.
func (s *scope) findMembers(ctx context.Context, p memberHistoryParams) ([]int32, error) {
	var member, text string
	switch {
	case p.Member == nil && p.Q == nil:
		return nil, nil
	case p.Member != nil && p.Q != nil:
		return nil, fault.Invalid.With("invalid_value", "q", "q stands instead of member, not beside it")
	case p.Member != nil:
		member = *p.Member
	case len([]rune(*p.Q)) < 2:
		return nil, fault.Invalid.With("invalid_value", "q", "q has two characters or more")
	default:
		text = *p.Q
	}
	rows, err := s.db.Query(ctx, findMembersSQL, pgx.StrictNamedArgs{"member": member, "text": text})
	if err != nil {
		return nil, pg.Classify(err)
	}
	numbers, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	return append([]int32{}, numbers...), pg.Classify(err)
}

// membersOf is the numbers of the members of visits, each once.
func membersOf(stays []stay) []int32 {
	seen, numbers := memberSet{}, []int32{}
	for i := range stays {
		if seen.add(stays[i].member) {
			numbers = append(numbers, stays[i].member)
		}
	}
	return numbers
}

// staysOf is the visits of some members on the days that hold any of the range, with
// the plans of their members where they name none.
func (s *scope) staysOf(ctx context.Context, members []int32) ([]stay, error) {
	plans, err := s.timelines(ctx)
	if err != nil {
		return nil, err
	}
	days := s.inRange()
	args := days.args()
	args["members"] = members
	rows, err := s.db.Query(ctx, memberStaysSQL, args)
	if err != nil {
		return nil, pg.Classify(err)
	}
	stays, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (stay, error) {
		v := stay{party: 1} // their own time
		var space, day int32
		var in, out time.Time
		var away []time.Time
		err := row.Scan(&space, &day, &v.member, &in, &out, &v.explicit, &v.cutoff, &away, &v.method, &v.plan, &v.team)
		v.place, v.day, v.in, v.out = s.place(space), calendar.Date(day), in.UnixMicro(), out.UnixMicro()
		for _, at := range away {
			v.away = append(v.away, at.UnixMicro())
		}
		plans.fill(&v)
		return v, err
	})
	return stays, pg.Classify(err)
}

// endReason is how a visit ended, as far as it has.
func (v *stay) endReason(asOf int64) string {
	switch {
	case v.out > asOf:
		return "open"
	case v.explicit:
		return "explicit"
	case v.cutoff:
		return "cutoff"
	default:
		return "timeout"
	}
}
