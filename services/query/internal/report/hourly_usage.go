package report

import (
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

// hourly is a row in the making.
type hourly struct {
	hourlyUsageRow
	traffic

	starts  []int64
	local   int64
	alive   bool
	elapsed int64 // µs that have passed of it, of the space where most have
}

func hourlyUsage(ctx context.Context, s *scope, p hourlyUsageParams) (counted[hourlyUsageRow, hourlyUsageTotals], error) {
	length := time.Hour
	if p.Interval == "15m" {
		length = 15 * time.Minute
	}
	rows := map[clock]*hourly{}
	hours, err := s.hourCount(ctx, length.Microseconds(), func(_ *place, h *hour) bool {
		row, known := rows[h.clock]
		if !known {
			row = &hourly{local: h.local}
			rows[h.clock] = row
		}
		row.begin(h, s.asOf)
		return h.alive
	})
	if err != nil {
		return counted[hourlyUsageRow, hourlyUsageTotals]{}, err
	}
	if err := hours.count(ctx); err != nil {
		return counted[hourlyUsageRow, hourlyUsageTotals]{}, err
	}
	ordered := make([]*hourly, 0, len(rows))
	for _, c := range slices.SortedFunc(maps.Keys(rows), clock.compare) {
		row := rows[c]
		if row.alive {
			row.traffic = hours.rows[c].traffic
		}
		ordered = append(ordered, row)
	}
	answer := hourlyAnswer(ordered)
	answer.interval = p.Interval
	answer.partialLast = s.anyRunning(s.to - 1)
	answer.ends, err = s.ends(ctx)
	return answer, err
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
			r.Arrivals = &r.arrivals
			r.Departures = departures{&r.explicit, &r.estimated}
			r.AvgOccupancy = mean(r.presence, r.elapsed)
			if r.elapsed > 0 {
				r.PeakOccupancy = &r.peak
				everSeen = true
			}
			peak = max(peak, r.peak)
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
