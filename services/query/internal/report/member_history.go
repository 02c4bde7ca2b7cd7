package report

import (
	"context"
	_ "embed"
	"iter"
	"math"
	"slices"
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
	list := newListing(s, func(h *historic) rowPlace { return rowPlace{-float64(h.in), h.member ^ h.place.id<<20} })
	var total membersVisits
	if numbers == nil {
		if total, err = s.allVisits(ctx); err == nil {
			err = s.listLatest(ctx, &list)
		}
	} else {
		total, err = s.listOf(ctx, numbers, &list)
	}
	if err != nil {
		return answer, err
	}
	answer.totals, answer.ends = memberHistoryTotals{total.visits, total.hours}, total.ends
	var listed []historic
	listed, answer.next = list.page()
	answer.rows, err = s.layHistory(ctx, listed)
	return answer, err
}

// membersVisits is what visits of members add up to.
type membersVisits struct {
	visits int64
	hours  Hours
	ends   ends
}

func (m *membersVisits) add(v *stay, asOf int64) {
	m.visits++
	m.hours += Hours(v.spent(window{v.in, asOf}))
	m.ends.count(v, asOf)
}

// membersVisitsOfDay is what those of a day do.
var membersVisitsOfDay = digest[membersVisits]{
	name: "members' visits",
	make: func(visits iter.Seq[*stay]) membersVisits {
		var m membersVisits
		for v := range visits {
			if v.member != 0 {
				m.add(v, distantFuture)
			}
		}
		return m
	},
	room: func(membersVisits) int { return 40 },
}

// lists says whether a visit is one of the list.
func (s *scope) lists(v *stay) bool {
	return v.member != 0 && s.instants(v.place).holds(v.in) && v.in <= s.asOf
}

// allVisits adds up everybody's visits.
func (s *scope) allVisits(ctx context.Context) (membersVisits, error) {
	var total membersVisits
	settled, others := s.settled()
	days, err := digests(ctx, s, settled, membersVisitsOfDay)
	if err != nil {
		return total, err
	}
	for _, day := range slices.Concat(days...) {
		total.visits += day.visits
		total.hours += day.hours
		total.ends.all += day.ends.all
		total.ends.estimated += day.ends.estimated
	}
	for v, err := range s.walk(ctx, others) {
		if err != nil {
			return total, err
		}
		if s.lists(v) {
			total.add(v, s.asOf)
		}
	}
	return total, nil
}

// listLatest lists everybody's visits, from the latest day on until the page is full.
func (s *scope) listLatest(ctx context.Context, list *listing[historic]) error {
	asked := s.rangeOf(s.places)
	first, last := calendar.Date(math.MaxInt32), calendar.Date(math.MinInt32)
	for _, a := range asked {
		if a.first < a.stop {
			first, last = min(first, a.first), max(last, a.stop-1)
		}
	}
	for d := last; d >= first; d-- {
		var days ownDays
		span := window{distantFuture, distantPast} // of the days of this date: those before end before it does
		for _, a := range asked {
			start, end := a.place.calendar.Span(d)
			span = window{min(span.start, start), max(span.end, end)}
			if a.first <= d && d < a.stop {
				days.add(a.place, d, d+1)
			}
		}
		if s.cursor != nil && !s.refiling && -float64(span.start) < s.cursor.Rank {
			continue // it was on the pages before
		}
		if !s.refiling && list.full() && list.last.rank <= -float64(span.end) {
			return nil
		}
		for v, err := range s.walk(ctx, days) {
			if err != nil {
				return err
			}
			if s.lists(v) {
				s.list(v, list)
			}
		}
	}
	return nil
}

// listOf lists the visits of some members.
func (s *scope) listOf(ctx context.Context, members []int32, list *listing[historic]) (membersVisits, error) {
	var total membersVisits
	stays, err := s.staysOf(ctx, members)
	for i := range stays {
		if v := &stays[i]; s.lists(v) {
			total.add(v, s.asOf)
			s.list(v, list)
		}
	}
	return total, err
}

func (s *scope) list(v *stay, list *listing[historic]) {
	if h := (historic{*v, Hours(v.spent(window{v.in, s.asOf}))}); list.wants(&h) {
		h.stay = v.kept()
		list.add(h)
	}
}

// historic is a visit that is listed, and how long it was up to now.
type historic struct {
	stay

	hours Hours
}

// layHistory lays out a page of visits.
func (s *scope) layHistory(ctx context.Context, listed []historic) ([]memberHistoryRow, error) {
	var seen memberSet
	numbers := []int32{}
	for _, h := range listed {
		if seen.add(h.member) {
			numbers = append(numbers, h.member)
		}
	}
	members, err := s.members(ctx, numbers)
	if err != nil {
		return nil, err
	}
	plans, err := s.timelines(ctx)
	if err != nil {
		return nil, err
	}
	var rows []memberHistoryRow
	for _, h := range listed {
		row := memberHistoryRow{
			Date: h.place.grid.DayAt(h.in), Member: members[h.member].name, Space: h.place.name, In: s.shown(h.place, h.in),
			EndReason: h.endReason(s.asOf), Hours: h.hours,
		}
		if h.out <= s.asOf {
			out := s.shown(h.place, h.out)
			row.Out = &out
		}
		if row.Method, err = s.word(ctx, h.method); err != nil {
			return nil, err
		}
		if row.Plan, err = s.word(ctx, plans.fill(h.visit).plan); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
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

// staysOf is the visits of some members on the days that hold any of the range.
func (s *scope) staysOf(ctx context.Context, members []int32) ([]stay, error) {
	days := s.inRange()
	args := days.args()
	args["members"] = members
	rows, err := s.db.Query(ctx, memberStaysSQL, args)
	if err != nil {
		return nil, pg.Classify(err)
	}
	stays, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (stay, error) {
		var v visit
		var space, day int32
		var in, out time.Time
		var away []time.Time
		err := row.Scan(&space, &day, &v.member, &in, &out, &v.explicit, &v.cutoff, &away, &v.method, &v.plan, &v.team)
		v.day, v.in, v.out = calendar.Date(day), in.UnixMicro(), out.UnixMicro()
		for _, at := range away {
			v.away = append(v.away, at.UnixMicro())
		}
		return stay{s.place(space), &v}, err
	})
	return stays, pg.Classify(err)
}

// endReason is how a visit ended, as far as it has.
func (v *visit) endReason(asOf int64) string {
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
