package report

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// RollCall is who to look for when a house is evacuated.
var RollCall = define("roll_call", Definition{
	Doc:      "Who is in now, one row a member, with how sure that is: for an evacuation, and to be printed.",
	Personal: true,
	Printed:  true,
	Counts: []string{
		"A member is in as long as a visit of theirs has not ended. Who was cut off at the end of the day less than a default stay ago is listed, too: nobody saw them leave.",
		"A member who is in several spaces is listed once, where they were last seen.",
		"Confidence is high if a door saw them within the hour, medium within the space's default stay, else low; it is low for who was cut off.",
	},
	Leaves: []string{
		"People without a name: totals.anonymous counts them, and totals.present everybody, guests included.",
		"It is about now, whatever range is asked for. Nothing is cut unless limit is given.",
	},
	Reads:   "The visits of each space's running day and of the day before.",
	Example: "",
}, rollCall)

type rollCallParams struct {
	Present
}

type rollCallRow struct {
	Member     string    `json:"member" doc:"Who."`
	Name       *string   `json:"name" doc:"Their name; null if nobody said."`
	Space      string    `json:"space" doc:"Where they were last seen."`
	Zone       *string   `json:"zone" doc:"The part of the space where their visit began; null if no door said."`
	Since      time.Time `json:"since" doc:"When their visit began."`
	LastSeen   time.Time `json:"last_seen" doc:"When a door last saw them."`
	Confidence string    `json:"confidence" doc:"high, medium or low: how sure it is that they are in."`
}

type rollCallTotals struct {
	Members   int64 `json:"members" unit:"members" doc:"Different members who may be in."`
	Anonymous int64 `json:"anonymous" unit:"people" doc:"People of visits without a member."`
	Present   int64 `json:"present" unit:"people" doc:"Everybody who may be in, with all people of each visit."`
}

// recently is how fresh a trace is that is believed without a doubt.
const recently = int64(time.Hour / time.Microsecond)

func rollCall(ctx context.Context, s *scope, _ rollCallParams) (counted[rollCallRow, rollCallTotals], error) {
	answer := counted[rollCallRow, rollCallTotals]{partialLast: true}
	stays, err := s.maybeInside(ctx)
	if err != nil {
		return answer, err
	}
	latest := map[int32]*stay{}
	for _, v := range stays {
		if v.member == 0 {
			answer.totals.Anonymous += v.party
			answer.totals.Present += v.party
			continue
		}
		if before := latest[v.member]; before == nil || before.lastTouch < v.lastTouch {
			latest[v.member] = v
		}
	}
	members, err := s.members(ctx, keysOf(latest))
	if err != nil {
		return answer, err
	}
	for number, v := range latest {
		zone, err := s.word(ctx, v.zone)
		if err != nil {
			return answer, err
		}
		answer.totals.Members++
		answer.totals.Present += v.party
		answer.rows = append(answer.rows, rollCallRow{
			Member: members[number].name, Name: members[number].fullName, Space: v.place.name, Zone: zone,
			Since: s.shown(v.place, v.in), LastSeen: s.shown(v.place, v.lastTouch), Confidence: s.confidence(v),
		})
	}
	slices.SortFunc(answer.rows, func(a, b rollCallRow) int {
		return cmp.Or(cmp.Compare(a.Space, b.Space), cmp.Compare(a.Member, b.Member))
	})
	if s.question.Query.Has("limit") {
		answer.rows = answer.rows[:min(len(answer.rows), s.asked.Limit)]
	}
	return answer, nil
}

// maybeInside is the visits that have not ended, and those of the day before that
// its end cut off less than a default stay ago.
func (s *scope) maybeInside(ctx context.Context) ([]*stay, error) {
	var days ownDays
	for _, p := range s.places {
		today := p.calendar.DayAt(s.asOf)
		days.add(p, today-1, today+1)
	}
	stays, err := s.stays(ctx, days)
	var maybe []*stay
	for i := range stays {
		v := &stays[i]
		grace := int64(0)
		if v.cutoff {
			grace = v.place.defaultStay(v)
		}
		if v.in <= s.asOf && s.asOf < v.out+grace && !v.isAway(s.asOf) {
			maybe = append(maybe, v)
		}
	}
	return maybe, err
}

// isAway says whether the people of a visit are outside, between a check-out and a
// return.
func (v *visit) isAway(at int64) bool {
	for i := 0; i+1 < len(v.away); i += 2 {
		if (window{v.away[i], v.away[i+1]}).holds(at) {
			return true
		}
	}
	return false
}

// defaultStay is how long a visit of that day lasts without a check-out, in µs.
func (p *place) defaultStay(v *stay) int64 {
	return p.calendar.On(v.day).DefaultStay.Microseconds()
}

func (s *scope) confidence(v *stay) string {
	age := s.asOf - v.lastTouch
	switch {
	case v.out <= s.asOf: // cut off
		return "low"
	case age <= recently:
		return "high"
	case age <= v.place.defaultStay(v):
		return "medium"
	default:
		return "low"
	}
}

func keysOf[V any](of map[int32]V) []int32 {
	keys := make([]int32, 0, len(of))
	for k := range of {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
