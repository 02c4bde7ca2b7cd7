package report

import (
	"cmp"
	"context"
	"math"
	"time"
)

// UserVisits is how each member came.
var UserVisits = define("user_visits", Definition{
	Doc:      "Each member with a visit in the range: how often, how long, since when, and where mostly.",
	Personal: true,
	Anywhere: true,
	Counts: []string{
		"A visit counts where it began within the range and by now. visit_days is the different days among them.",
		"hours is a member's own time inside, without time between a check-out and a return, up to now; hours_estimated is the part of it in visits that no check-out ended.",
		"first_visit is the first ever, in any space; last_visit is the last one up to now. Neither is limited to the range.",
		"Tokens count in the spaces that are asked for, by when they were issued and used, within the range.",
		"The usual space is where most of the visits were; of several, the first by name.",
	},
	Leaves: []string{
		"With include=never, members without a visit in the range are listed, too; a key of some spaces knows those only whom it has seen there.",
		"Guests of a visit: they are in daily_usage's visitor_hours.",
	},
	Reads:   "The visits of the range, when each visit of every member began, tokens, and what is known of members.",
	Example: "from=2026-03-27&to=2026-04-01",
}, userVisits)

type userVisitsParams struct {
	Common
	Filtered
	Paged
	Include *string `param:"include" enum:"never" doc:"never adds members without a visit in the range."`
	Sort    string  `param:"sort" enum:"visits,visit_days,hours,first_visit,last_visit,joined_at" default:"visits" doc:"What the list is ordered by; who has none of it comes last."`
	Order   string  `param:"order" enum:"desc,asc" default:"desc" doc:"The most, or the latest, first; or the other way round."`
}

type userVisitsRow struct {
	Member         string     `json:"member" doc:"Who."`
	Visits         int64      `json:"visits" unit:"visits" doc:"Visits that began in the range."`
	VisitDays      int64      `json:"visit_days" unit:"days" doc:"Different days among them."`
	Hours          Hours      `json:"hours" unit:"hours" doc:"Time inside."`
	HoursEstimated Hours      `json:"hours_estimated" unit:"hours" doc:"The part of it in visits whose end was inferred."`
	FirstVisit     *time.Time `json:"first_visit" doc:"When their first visit ever began; null if there was none."`
	LastVisit      *time.Time `json:"last_visit" doc:"When their last visit began."`
	JoinedAt       *time.Time `json:"joined_at" doc:"When they joined; null if nobody said."`
	TokensIssued   int64      `json:"tokens_issued" unit:"tokens" doc:"One-time tokens that they were handed."`
	TokensUsed     int64      `json:"tokens_used" unit:"tokens" doc:"One-time tokens of theirs that were used."`
	UsualSpace     *string    `json:"usual_space" doc:"Where most of the visits were; null without any."`

	number int32
}

type userVisitsTotals struct {
	Members        int64 `json:"members" unit:"members" doc:"Members on all pages."`
	Visits         int64 `json:"visits"`
	Hours          Hours `json:"hours"`
	HoursEstimated Hours `json:"hours_estimated"`
	TokensIssued   int64 `json:"tokens_issued"`
	TokensUsed     int64 `json:"tokens_used"`
}

// usual is a member's row in the making.
type usual struct {
	userVisitsRow

	place      *place // where the last visits were that were counted, and how many there
	here, most int64
}

func userVisits(ctx context.Context, s *scope, p userVisitsParams) (counted[userVisitsRow, userVisitsTotals], error) {
	answer := counted[userVisitsRow, userVisitsTotals]{partialLast: s.anyRunning(s.to - 1)}
	of := map[int32]*usual{}
	if err := s.addUp(ctx, of, &answer.ends); err != nil {
		return answer, err
	}
	members, err := s.everybody(ctx)
	if err != nil {
		return answer, err
	}
	if p.Include != nil {
		if err := s.includeNever(ctx, members, of); err != nil {
			return answer, err
		}
	}
	if err := s.nameVisits(ctx, of); err != nil {
		return answer, err
	}
	if err := s.countTokens(ctx, of); err != nil {
		return answer, err
	}
	for number, u := range of {
		m := members[number]
		u.Member, u.number, u.JoinedAt = m.name, number, instant(m.joined)
		answer.rows = append(answer.rows, u.userVisitsRow)
		answer.totals.add(&u.userVisitsRow)
	}
	answer.rows, answer.next = page(s, answer.rows, func(r *userVisitsRow) rowPlace {
		return rowPlace{r.rank(p.Sort, p.Order == "asc"), r.number}
	})
	return answer, nil
}

// sojourn is a member's visits to a space.
type sojourn struct {
	visits            int64
	inside, estimated Hours
}

// sojourns is who visited a space, and how many of their visits' ends were inferred.
type sojourns struct {
	of   map[int32]sojourn // by member
	ends ends
}

// sojournRoom is how many bytes one takes.
const sojournRoom = 60

// addUp adds up the visits of the range by member.
func (s *scope) addUp(ctx context.Context, of map[int32]*usual, e *ends) error {
	settled, others := s.settled()
	if s.zone != nil { // its dates are not the days that are over
		settled, others = make([]daysOf, len(s.places)), s.inRange()
	}
	dates := make([]memberSet, s.to-s.from) // who came on each
	before, err := s.sojourns(ctx, settled, dates)
	if err != nil {
		return err
	}
	beside := map[*place]*sojourns{}
	for _, p := range s.places {
		beside[p] = &sojourns{of: map[int32]sojourn{}}
	}
	for v, err := range s.walk(ctx, others) {
		if err != nil {
			return err
		}
		date := v.place.grid.DayAt(v.in)
		if v.member == 0 || !s.instants(v.place).holds(v.in) || v.in > s.asOf || !v.place.alive(date) {
			continue
		}
		beside[v.place].add(v, s.asOf)
		dates[date-s.from].add(v.member)
	}
	for i, p := range s.places {
		for _, visits := range []*sojourns{before[i], beside[p]} {
			for member, visit := range visits.of {
				u := of[member]
				if u == nil {
					u = &usual{}
					of[member] = u
				}
				u.add(p, visit)
			}
			e.all += visits.ends.all
			e.estimated += visits.ends.estimated
		}
	}
	for i := range dates {
		dates[i].each(func(member int32) { of[member].VisitDays++ })
	}
	return nil
}

// sojourns is who visited each space on days that are over, and puts them into the dates.
func (s *scope) sojourns(ctx context.Context, settled []daysOf, dates []memberSet) ([]*sojourns, error) {
	recalled, err := s.recallMembers(ctx, settled...)
	if err != nil {
		return nil, err
	}
	found := make([]*sojourns, len(settled))
	for i, a := range settled {
		numbers := []int64{int64(s.places[i].id), s.places[i].settings, int64(a.first)}
		for j, d := range recalled[i] {
			numbers = append(numbers, d.version)
			d.turnout.enter(&dates[a.first.AddDays(j)-s.from])
		}
		found[i], err = once(s.reader.memory.results, on("sojourns", numbers...), func() (*sojourns, int, error) {
			var days ownDays
			days.add(a.place, a.first, a.stop)
			made := &sojourns{of: map[int32]sojourn{}}
			for v, err := range s.walk(ctx, days) {
				if err != nil {
					return nil, 0, err
				}
				if v.member != 0 {
					made.add(v, distantFuture)
				}
			}
			return made, sojournRoom * len(made.of), nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// add adds a member's visit, as it was up to an instant.
func (o *sojourns) add(v *stay, asOf int64) {
	one := o.of[v.member]
	inside := Hours(v.spent(window{v.in, asOf}))
	one.visits++
	one.inside += inside
	if !v.explicit {
		one.estimated += inside
	}
	o.of[v.member] = one
	o.ends.count(v, asOf)
}

// add adds visits to a space. Those to one are added before those to the next.
func (u *usual) add(p *place, visits sojourn) {
	u.Visits += visits.visits
	u.Hours += visits.inside
	u.HoursEstimated += visits.estimated
	u.visited(p, visits.visits)
}

// visited finds the usual space.
func (u *usual) visited(p *place, visits int64) {
	if u.place != p {
		u.place, u.here = p, 0
	}
	u.here += visits
	if u.here > u.most {
		u.most, u.UsualSpace = u.here, &p.name
	}
}

// includeNever adds the members without a visit whom the asker may know.
func (s *scope) includeNever(ctx context.Context, members map[int32]member, of map[int32]*usual) error {
	var known memberSet
	if s.question.Visible != nil {
		var err error
		if known, err = s.knownMembers(ctx, members); err != nil {
			return err
		}
	}
	for number := range members {
		if of[number] == nil && (s.question.Visible == nil || known.has(number)) {
			of[number] = &usual{}
		}
	}
	return nil
}

// nameVisits finds the first and the last visit of each member.
func (s *scope) nameVisits(ctx context.Context, of map[int32]*usual) error {
	annals, err := s.annals(ctx, true)
	if err != nil {
		return err
	}
	firsts, err := annals.firsts(ctx)
	if err != nil {
		return err
	}
	_, tomorrow := annals.span()
	lasts, err := annals.lasts(ctx, tomorrow)
	if err != nil {
		return err
	}
	for number, u := range of {
		if int(number) < len(firsts) && firsts[number].member != 0 {
			u.FirstVisit, u.LastVisit = instant(&firsts[number].in), instant(&lasts[number].in)
		}
	}
	return nil
}

// countTokens counts the tokens of each member.
func (s *scope) countTokens(ctx context.Context, of map[int32]*usual) error {
	for by, count := range map[int]func(u *usual, tokens int64){
		byIssue: func(u *usual, tokens int64) { u.TokensIssued += tokens },
		byUse:   func(u *usual, tokens int64) { u.TokensUsed += tokens },
	} {
		err := s.tokensOfMembers(ctx, by, func(member int32, tokens int64) {
			if u := of[member]; u != nil {
				count(u, tokens)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// handedTo is how many tokens each member was handed, or used.
type handedTo map[int32]int64

// handedRoom is how many bytes each of them takes.
const handedRoom = 30

// tokensOfMembers calls yield with how many tokens of the range and by now were each
// member's, once or more. Of days that are over that is remembered for as long as the space
// has not moved: what is told of a token on any day may change it.
func (s *scope) tokensOfMembers(ctx context.Context, by int, yield func(member int32, tokens int64)) error {
	results := s.reader.memory.results
	settled, _ := s.settled()
	var asked []daysOf
	var rests []grounds // of each of them
	for i, a := range s.daysOfTokens() {
		over := settled[i]
		if over.first == over.stop {
			asked, rests = append(asked, a), append(rests, grounds{})
			continue
		}
		asked = append(asked, daysOf{a.place, a.first, over.first}, daysOf{a.place, over.stop, a.stop})
		rests = append(rests, grounds{}, grounds{})
		rest := on("tokens of members", int64(by), int64(a.place.id), a.place.settings, int64(over.first), int64(over.stop), a.place.version)
		found, _ := results.find(rest)
		if handed, known := found.(handedTo); known {
			for member, tokens := range handed {
				yield(member, tokens)
			}
			continue
		}
		asked, rests = append(asked, over), append(rests, rest)
	}
	return s.eachTokens(ctx, by, asked, func(i int, days []*tokenDay) {
		handed := handedTo{}
		s.eachOf(asked[i].place, by, days, func(_ int, t *token) { handed[t.member]++ })
		for member, tokens := range handed {
			yield(member, tokens)
		}
		results.keep(rests[i], handed, handedRoom*len(handed))
	})
}

func (t *userVisitsTotals) add(r *userVisitsRow) {
	t.Members++
	t.Visits += r.Visits
	t.Hours += r.Hours
	t.HoursEstimated += r.HoursEstimated
	t.TokensIssued += r.TokensIssued
	t.TokensUsed += r.TokensUsed
}

// rank is what a list is ordered by, the least first; who has none of it comes last.
func (r *userVisitsRow) rank(by string, ascending bool) float64 {
	var at *time.Time
	var n float64
	switch by {
	case "visit_days":
		n = float64(r.VisitDays)
	case "hours":
		n = float64(r.Hours)
	case "first_visit":
		at = cmp.Or(r.FirstVisit, never)
	case "last_visit":
		at = cmp.Or(r.LastVisit, never)
	case "joined_at":
		at = cmp.Or(r.JoinedAt, never)
	default:
		n = float64(r.Visits)
	}
	switch {
	case at == never && at != nil:
		return math.MaxFloat64
	case at != nil:
		n = float64(at.UnixMicro())
	}
	if ascending {
		return n
	}
	return -n
}

// never stands for an instant that there is none of.
var never = &time.Time{}

// instant is a time as rows show it, nil if there is none.
func instant(at *int64) *time.Time {
	if at == nil {
		return nil
	}
	shown := time.UnixMicro(*at).UTC()
	return &shown
}
