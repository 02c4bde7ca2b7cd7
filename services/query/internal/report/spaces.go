package report

import (
	"context"
	"math"

	"coworking/pkg/calendar"
)

// Spaces is the spaces beside each other.
var Spaces = define("spaces", Definition{
	Doc:      "The spaces side by side: how many came, how full it was, how long they stayed, and how each space stands among the others.",
	Anywhere: true,
	Counts: []string{
		"Open days are those on which a space lived and was open, up to now. All visits are divided by them, or with days=calendar by all days.",
		"Members are counted once in a space, and once in the totals: the spaces' unique members add up to the total's or to more, which is right.",
		"peak_pct and avg_pct are seats taken in opening hours, as in utilization; dwell_p50_min is the median of measured visits of at least 3 minutes, as in dwell.",
		"new_share is the unique members whose first visit ever, to any space that may be seen, began in the range and in this space.",
		"no_show_rate is tokens that expired unused, and whose member did not come that day either, ÷ all that were issued in the range, pending ones too; rate of no_shows divides by those that are not pending.",
		"per_seat divides by seats weighted by open time; in totals, by the seats of the spaces added up.",
		"Rank 1 is the highest figure among the spaces that are asked for, also where low is good; equal figures share a rank.",
	},
	Leaves: []string{
		"Shares of seats and figures per seat are null where the seats of a space that was open are not known; in totals, where those of any are not.",
		"With a filter, refusals and tokens are not known: they are of no visit.",
		"estimated_share is of the visits that have ended: the higher it is, the less visitor_hours and the shares of seats are measured.",
	},
	Reads:   "The sums and visits of each visit day, when each member first came, the tokens that were issued, and capacity and opening hours.",
	Example: "from=2026-03-29&to=2026-04-01",
}, spaces)

type spacesParams struct {
	Common
	Filtered
	Compared
	Days
}

type spacesRow struct {
	Space            string     `json:"space" doc:"The space."`
	OpenDays         *int64     `json:"open_days" unit:"days" doc:"Days of the range on which it lived and was open, up to now."`
	Visits           *int64     `json:"visits" unit:"visits" doc:"Visits that began."`
	VisitsPerOpenDay *Mean      `json:"visits_per_open_day" unit:"visits" doc:"Visits ÷ open days, or all days with days=calendar."`
	UniqueMembers    *int64     `json:"unique_members" unit:"members" doc:"Different members among them."`
	VisitorHours     *Hours     `json:"visitor_hours" unit:"hours" doc:"Time inside up to now, times the people of each visit."`
	PeakPct          *Mean      `json:"peak_pct" unit:"percent" doc:"People per hundred seats at the fullest instant of opening hours."`
	AvgPct           *Mean      `json:"avg_pct" unit:"percent" doc:"The same on average over opening hours."`
	DwellP50         *Minutes   `json:"dwell_p50_min" unit:"minutes" doc:"Half of the measured visits of at least 3 minutes were shorter."`
	NewShare         *Mean      `json:"new_share" unit:"share" doc:"Unique members whose first visit ever this range saw here."`
	NoShowRate       *Mean      `json:"no_show_rate" unit:"share" doc:"Tokens that expired unused by members who did not come ÷ all tokens issued, pending ones too."`
	FailedRate       *Mean      `json:"failed_rate" unit:"share" doc:"Refusals at the door ÷ check-ins and refusals."`
	EstimatedShare   *Mean      `json:"estimated_share" unit:"share" doc:"Visits whose end was inferred, of those that have ended."`
	PerSeat          perSeat    `json:"per_seat"`
	Rank             spacesRank `json:"rank"`
}

type perSeat struct {
	Visits       *Mean  `json:"visits" unit:"visits" doc:"Visits ÷ seats."`
	VisitorHours *Hours `json:"visitor_hours" unit:"hours" doc:"Visitor hours ÷ seats."`
}

type spacesRank struct {
	Visits              *int64 `json:"visits" doc:"The place by visits: 1 is the highest; null without a figure."`
	VisitsPerOpenDay    *int64 `json:"visits_per_open_day" doc:"The place by visits per open day."`
	UniqueMembers       *int64 `json:"unique_members" doc:"The place by unique members."`
	VisitorHours        *int64 `json:"visitor_hours" doc:"The place by visitor hours."`
	PeakPct             *int64 `json:"peak_pct" doc:"The place by the highest share of seats."`
	AvgPct              *int64 `json:"avg_pct" doc:"The place by the average share of seats."`
	DwellP50            *int64 `json:"dwell_p50_min" doc:"The place by the median visit."`
	NewShare            *int64 `json:"new_share" doc:"The place by the share of new members."`
	NoShowRate          *int64 `json:"no_show_rate" doc:"The place by the share of no-shows: 1 has the most."`
	FailedRate          *int64 `json:"failed_rate" doc:"The place by the share of refusals: 1 has the most."`
	PerSeatVisits       *int64 `json:"per_seat_visits" doc:"The place by visits per seat."`
	PerSeatVisitorHours *int64 `json:"per_seat_visitor_hours" doc:"The place by visitor hours per seat."`
}

type spacesTotals struct {
	OpenDays         *int64   `json:"open_days" unit:"days" doc:"Days of the range on which any of the spaces lived and was open, up to now."`
	Visits           *int64   `json:"visits"`
	VisitsPerOpenDay *Mean    `json:"visits_per_open_day"`
	UniqueMembers    *int64   `json:"unique_members" unit:"members" doc:"Different members in all the spaces: no more than theirs add up to."`
	VisitorHours     *Hours   `json:"visitor_hours"`
	PeakPct          *Mean    `json:"peak_pct"`
	AvgPct           *Mean    `json:"avg_pct"`
	DwellP50         *Minutes `json:"dwell_p50_min"`
	NewShare         *Mean    `json:"new_share" unit:"share" doc:"Unique members whose first visit ever this range saw in one of the spaces."`
	NoShowRate       *Mean    `json:"no_show_rate"`
	FailedRate       *Mean    `json:"failed_rate"`
	EstimatedShare   *Mean    `json:"estimated_share"`
	PerSeat          perSeat  `json:"per_seat"`
}

// standing is how a space stands, or all of them together.
type standing struct {
	spacesTotals

	ends  ends
	load  load
	seats *float64 // over open time; nil: not known, or never open
	p50   *float64 // µs
}

func spaces(ctx context.Context, s *scope, p spacesParams) (counted[spacesRow, spacesTotals], error) {
	answer := counted[spacesRow, spacesTotals]{partialLast: s.anyRunning(s.to - 1)}
	annals, err := s.annals(ctx, true)
	if err != nil {
		return answer, err
	}
	firsts, err := annals.firsts(ctx)
	if err != nil {
		return answer, err
	}
	parts, err := s.groups(ctx, "space")
	if err != nil {
		return answer, err
	}
	standings := make([]standing, len(parts))
	for i, part := range parts {
		if standings[i], err = part.scope.standing(ctx, p.Days.Days, firsts); err != nil {
			return answer, err
		}
		standings[i].furnish(standings[i].load.seats())
		answer.rows = append(answer.rows, standings[i].row(*part.name))
	}
	rank(answer.rows, standings)
	total, err := s.standing(ctx, p.Days.Days, firsts)
	total.furnish(allSeats(standings))
	answer.totals, answer.ends = total.spacesTotals, total.ends
	return answer, err
}

// standing counts the spaces of a scope together, but for what is per seat. What other
// reports count is theirs, so that the numbers agree.
func (s *scope) standing(ctx context.Context, days string, firsts []arrival) (standing, error) {
	var t standing
	usage, err := dailyUsage(ctx, s, dailyUsageParams{Interval: "day"})
	if err != nil {
		return t, err
	}
	u := usage.totals
	t.Visits, t.UniqueMembers, t.VisitorHours, t.ends = u.Visits, u.UniqueMembers, u.VisitorHours, usage.ends
	t.EstimatedShare = mean(t.ends.estimated, t.ends.all)
	if u.Visits != nil {
		open, all := s.daysLived()
		t.OpenDays, t.VisitsPerOpenDay = &open, mean(*u.Visits, open)
		if days == "calendar" {
			t.VisitsPerOpenDay = mean(*u.Visits, all)
		}
	}
	if u.Failed != nil {
		t.FailedRate = mean(*u.Failed, *u.Checkins+*u.Failed)
	}
	loads, err := s.loads(ctx, "day")
	if err != nil {
		return t, err
	}
	t.load = loads.total
	full := t.load.totals()
	t.PeakPct, t.AvgPct = inPercent(full.Peak), inPercent(full.Avg)

	lengths, err := s.lengths(ctx)
	if err != nil {
		return t, err
	}
	t.DwellP50, t.p50 = minutesAt(lengths.measured, 0.5), lengths.measured.quantile(0.5)

	if t.NewShare, err = s.newShare(ctx, firsts); err != nil || s.filtered() {
		return t, err
	}
	var tokens fates
	err = s.countFates(ctx, func(calendar.Date) *fates { return &tokens })
	t.NoShowRate = mean(tokens.noShow, tokens.issued)
	return t, err
}

// daysLived is the days on which a space lived, up to now, and those of them on which
// it was open.
func (s *scope) daysLived() (open, all int64) {
	for d := s.from; d < s.to; d++ {
		var lived, opened bool
		for _, p := range s.places {
			if p.alive(d) && !s.span(p, d).before(s.asOf+1).empty() {
				lived = true
				opened = opened || p.calendar.IsOpen(d)
			}
		}
		if lived {
			all++
		}
		if opened {
			open++
		}
	}
	return open, all
}

// inPercent is a share in per cent.
func inPercent(share *Mean) *Mean {
	if share == nil {
		return nil
	}
	p := 100 * *share
	return &p
}

// newShare is the share of the members seen in the range whose first visit ever was
// among what was seen.
func (s *scope) newShare(ctx context.Context, firsts []arrival) (*Mean, error) {
	var asked windows
	for _, p := range s.places {
		for d := s.from; d < s.to; d++ {
			if p.alive(d) {
				asked.add(0, p, s.span(p, d))
			}
		}
	}
	var seen memberSet
	if err := s.gather(ctx, asked, func(_ int, came *memberSet) { seen.join(*came) }); err != nil {
		return nil, err
	}
	var fresh int64
	seen.each(func(member int32) {
		if int(member) >= len(firsts) {
			return // a clock was ahead: it has not come yet
		}
		first := firsts[member]
		if place := s.place(first.space); place != nil && s.sees(place, first.in) {
			fresh++
		}
	})
	return mean(fresh, int64(seen.size())), nil
}

// sees says whether an instant is in the range and in the life of the space.
func (s *scope) sees(p *place, at int64) bool {
	return s.instants(p).holds(at) && p.alive(p.grid.DayAt(at))
}

// seats is the seats that there were, weighted by open time.
func (l *load) seats() *float64 {
	if l.unknown || l.open == 0 {
		return nil
	}
	seats := float64(l.offered) / float64(l.open)
	return &seats
}

// allSeats is the seats of all spaces, if those of each that was open are known.
func allSeats(standings []standing) *float64 {
	var all *float64
	for i := range standings {
		if standings[i].load.unknown {
			return nil
		}
		if seats := standings[i].seats; seats != nil {
			sum := *seats
			if all != nil {
				sum += *all
			}
			all = &sum
		}
	}
	return all
}

// furnish divides by seats.
func (t *standing) furnish(seats *float64) {
	if seats == nil || t.Visits == nil {
		return
	}
	t.seats = seats
	visits, hours := Mean(float64(*t.Visits) / *seats), Hours(math.Round(float64(*t.VisitorHours) / *seats))
	t.PerSeat = perSeat{&visits, &hours}
}

func (t *standing) row(space string) spacesRow {
	return spacesRow{
		Space:    space,
		OpenDays: t.OpenDays, Visits: t.Visits, VisitsPerOpenDay: t.VisitsPerOpenDay, UniqueMembers: t.UniqueMembers,
		VisitorHours: t.VisitorHours, PeakPct: t.PeakPct, AvgPct: t.AvgPct, DwellP50: t.DwellP50, NewShare: t.NewShare,
		NoShowRate: t.NoShowRate, FailedRate: t.FailedRate, EstimatedShare: t.EstimatedShare, PerSeat: t.PerSeat,
	}
}

// rank gives each space its place by each figure.
func rank(rows []spacesRow, standings []standing) {
	figures := make([][]*float64, len(rows))
	for i := range standings {
		figures[i] = standings[i].ranked()
	}
	for i := range rows {
		for k, place := range rows[i].Rank.places() {
			own := figures[i][k]
			if own == nil {
				continue
			}
			*place = figure(1)
			for _, other := range figures {
				if other[k] != nil && *other[k] > *own {
					**place++
				}
			}
		}
	}
}

// ranked is the figures that spaces are ranked by, in the order of places. They are
// not rounded: what differs has another rank.
func (t *standing) ranked() []*float64 {
	figures := []*float64{
		float(t.Visits), float(t.VisitsPerOpenDay), float(t.UniqueMembers), float(t.VisitorHours),
		float(t.PeakPct), float(t.AvgPct), t.p50, float(t.NewShare), float(t.NoShowRate), float(t.FailedRate), nil, nil,
	}
	if t.seats != nil && t.Visits != nil {
		visits, hours := float64(*t.Visits) / *t.seats, float64(*t.VisitorHours) / *t.seats
		figures[10], figures[11] = &visits, &hours
	}
	return figures
}

func float[N ~int64 | ~float64](n *N) *float64 {
	if n == nil {
		return nil
	}
	f := float64(*n)
	return &f
}

func (r *spacesRank) places() []**int64 {
	return []**int64{
		&r.Visits, &r.VisitsPerOpenDay, &r.UniqueMembers, &r.VisitorHours, &r.PeakPct, &r.AvgPct, &r.DwellP50, &r.NewShare,
		&r.NoShowRate, &r.FailedRate, &r.PerSeatVisits, &r.PerSeatVisitorHours,
	}
}
