package report

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"
)

// HourlyUsage is how the days go.
var HourlyUsage = define("hourly_usage", Definition{
	Doc: "Arrivals, departures and how many were inside, by hour of the wall clock; an hour that clocks repeat is two rows, one that they skip is none.",
	Counts: []string{
		"An arrival is a visit that began, a departure one that ended: explicit if a check-out said so, estimated if its end was inferred.",
		"Average occupancy is people inside weighted by time, up to now; the peak is the most at one instant. Both count all people of a visit.",
		"Who is cut off at the day's end leaves in its last hour.",
	},
	Leaves: []string{
		"Time between a check-out and a return within the hour is no presence.",
		"Several spaces without tz meet by what their clocks show; start is null where that was at different instants.",
	},
	Reads:   "The visits of the range's days.",
	Example: "from=2026-03-31&to=2026-04-01&space=berlin",
}, hourlyUsage)

type hourlyUsageParams struct {
	Common
	Filtered
	ByVisit
	Compared
	Interval string `param:"interval" enum:"15m,hour" default:"hour" doc:"How long a row is."`
}

type hourlyUsageRow struct {
	Start         *time.Time `json:"start" doc:"When it began; null where spaces without tz began it at different instants."`
	Local         string     `json:"local" doc:"What the wall clock showed then."`
	Arrivals      *int64     `json:"arrivals" unit:"visits" doc:"Visits that began."`
	Departures    departures `json:"departures"`
	AvgOccupancy  *Mean      `json:"avg_occupancy" unit:"people" doc:"People inside, weighted by time, up to now."`
	PeakOccupancy *int64     `json:"peak_occupancy" unit:"people" doc:"The most people inside at one instant."`
}

type departures struct {
	Explicit  *int64 `json:"explicit" unit:"visits" doc:"Visits that a check-out ended."`
	Estimated *int64 `json:"estimated" unit:"visits" doc:"Visits whose end was inferred."`
}

type hourlyUsageTotals struct {
	Arrivals      *int64     `json:"arrivals"`
	Departures    departures `json:"departures"`
	AvgOccupancy  *Mean      `json:"avg_occupancy"`
	PeakOccupancy *int64     `json:"peak_occupancy"`
}

// hour is a row's stretch of time in one space.
type hour struct {
	window
	clock clock
	local int64 // what the wall clock shows at its start, in µs since 1970
	alive bool

	row           *hourly
	began, lasted int64 // people who were inside as it began, and up to its end
}

// hourly is a row in the making.
type hourly struct {
	hourlyUsageRow
	starts              []int64
	local               int64
	alive               bool
	arrivals            int64
	explicit, estimated int64
	presence            int64  // headcount × µs
	elapsed             int64  // µs that have passed of it, of the space where most have
	steps               []step // by the time since the row began
}

func hourlyUsage(ctx context.Context, s *scope, p hourlyUsageParams) (counted[hourlyUsageRow, hourlyUsageTotals], error) {
	length := time.Hour
	if p.Interval == "15m" {
		length = 15 * time.Minute
	}
	stays, err := s.walk(ctx, s.inRange())
	if err != nil {
		return counted[hourlyUsageRow, hourlyUsageTotals]{}, err
	}
	hoursOf := map[*place][]hour{}
	rows := map[clock]*hourly{}
	var e ends
	for _, place := range s.places {
		hours := s.hours(place, length.Microseconds())
		hoursOf[place] = hours
		for i := range hours {
			h := &hours[i]
			row, known := rows[h.clock]
			if !known {
				row = &hourly{local: h.local}
				rows[h.clock] = row
			}
			h.row = row
			row.begin(h, s.asOf)
		}
	}
	for v := range stays {
		s.visit(v, hoursOf[v.place])
		if s.instants(v.place).holds(v.in) {
			e.count(v, s.asOf)
		}
	}
	for _, place := range s.places {
		for i := range hoursOf[place] {
			hoursOf[place][i].close()
		}
	}
	ordered := make([]*hourly, 0, len(rows))
	for _, c := range slices.SortedFunc(maps.Keys(rows), clock.compare) {
		ordered = append(ordered, rows[c])
	}
	answer := hourlyAnswer(ordered)
	answer.interval, answer.ends = p.Interval, e
	answer.partialLast = s.anyRunning(s.to - 1)
	return answer, nil
}

// hours is the rows that a space's range has, in order of time: its quarters of
// an hour, joined as long as the wall clock shows the same row.
func (s *scope) hours(p *place, length int64) []hour {
	var hours []hour
	face := newClockFace()
	for d := s.from; d < s.to; d++ {
		day, zone := s.span(p, d), p.grid.On(d).Zone
		for at := day.start; at < day.end; {
			end := min(floor(at, slotLength)+slotLength, day.end)
			shown, local := face.show(at, zone, length)
			if last := len(hours) - 1; last >= 0 && hours[last].clock == shown {
				hours[last].end = end
				hours[last].alive = hours[last].alive || p.alive(d)
			} else {
				hours = append(hours, hour{window: window{at, end}, clock: shown, local: local, alive: p.alive(d)})
			}
			at = end
		}
	}
	return hours
}

// begin notes a space's stretch of time for the row.
func (r *hourly) begin(h *hour, asOf int64) {
	r.starts = append(r.starts, h.start)
	r.local = min(r.local, h.local)
	if h.alive {
		r.alive = true
		r.elapsed = max(r.elapsed, h.before(asOf).length())
	}
}

// visit counts a visit in the rows that it reaches into.
func (s *scope) visit(v *stay, hours []hour) {
	if h := find(hours, v.in); h != nil && h.alive {
		h.row.arrivals++
	}
	_, dayEnd := v.place.calendar.Span(v.day)
	// Who is cut off at the day's end leaves in its last slot.
	if h := find(hours, min(v.out, dayEnd-1)); h != nil && h.alive && v.out <= s.asOf {
		if v.explicit {
			h.row.explicit++
		} else {
			h.row.estimated++
		}
	}
	v.present(s.instants(v.place).before(s.asOf), func(inside window) {
		for i := firstOver(hours, inside.start); i < len(hours) && hours[i].start < inside.end; i++ {
			if h := &hours[i]; h.alive {
				h.hold(inside.cut(h.window), v.party)
			}
		}
	})
}

// hold notes people who were inside for a part of the hour. Most were so as it began, or up
// to its end: of those it is enough to know how many.
func (h *hour) hold(w window, people int64) {
	if w.empty() {
		return
	}
	h.row.presence += w.length() * people
	if w.start == h.start {
		h.began += people
	} else {
		h.row.steps = append(h.row.steps, step{at: w.start - h.start, headcount: people})
	}
	if w.end == h.window.end {
		h.lasted += people
	} else {
		h.row.steps = append(h.row.steps, step{at: w.end - h.start, headcount: -people})
	}
}

// close notes for the row those of whom only the number is known.
func (h *hour) close() {
	h.row.steps = append(h.row.steps, step{headcount: h.began}, step{at: h.length(), headcount: -h.lasted})
}

// firstOver is the index of the first hour that ends after an instant.
func firstOver(hours []hour, at int64) int {
	i, _ := slices.BinarySearchFunc(hours, at, func(h hour, at int64) int { return cmp.Compare(h.end, at+1) })
	return i
}

// find is the hour that holds an instant, nil if none does.
func find(hours []hour, at int64) *hour {
	if i := firstOver(hours, at); i < len(hours) && hours[i].holds(at) {
		return &hours[i]
	}
	return nil
}

func hourlyAnswer(rows []*hourly) counted[hourlyUsageRow, hourlyUsageTotals] {
	var (
		answer   counted[hourlyUsageRow, hourlyUsageTotals]
		total    hourly
		peak     int64
		everSeen bool
	)
	for _, r := range rows {
		r.name()
		if r.alive {
			highest := r.peak()
			r.Arrivals = &r.arrivals
			r.Departures = departures{&r.explicit, &r.estimated}
			r.AvgOccupancy = mean(r.presence, r.elapsed)
			if r.elapsed > 0 {
				r.PeakOccupancy = &highest
				everSeen = true
			}
			peak = max(peak, highest)
			total.alive = true
			total.arrivals += r.arrivals
			total.explicit += r.explicit
			total.estimated += r.estimated
			total.presence += r.presence
			total.elapsed += r.elapsed
		}
		answer.rows = append(answer.rows, r.hourlyUsageRow)
	}
	if total.alive {
		answer.totals.Arrivals = &total.arrivals
		answer.totals.Departures = departures{&total.explicit, &total.estimated}
		answer.totals.AvgOccupancy = mean(total.presence, total.elapsed)
	}
	if everSeen {
		answer.totals.PeakOccupancy = &peak
	}
	return answer
}

// name says which hour the row is, with its instant if that is one in all spaces.
func (r *hourly) name() {
	r.Local = time.UnixMicro(r.local).UTC().Format("2006-01-02T15:04")
	if slices.Min(r.starts) == slices.Max(r.starts) {
		start := time.UnixMicro(r.starts[0]).UTC()
		r.Start = &start
	}
}

// peak is the most people at one instant of the row.
func (r *hourly) peak() int64 {
	var peak int64
	sweep(r.steps, func(_ window, held step) { peak = max(peak, held.headcount) })
	return peak
}
