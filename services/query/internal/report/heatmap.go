package report

import (
	"context"
	"slices"
	"strings"
	"time"

	"coworking/pkg/calendar"
)

// Heatmap is which hours of the week are busy.
var Heatmap = define("heatmap", Definition{
	Doc: "How busy each hour of the week is: the mean of all the times that the local clock really showed it on an open day.",
	Counts: []string{
		"168 rows: the hours of the wall clock, by the weekday that it shows. n is how often the hour came; an hour that clocks repeat came twice that night, one that they skip did not come.",
		"An hour counts once it is over, and if the whole of it lies within the range, the life of the space and its open days; days=calendar counts closed days, too.",
		"metric=arrivals is visits that began in the hour; occupancy is people inside, weighted by time; unique_members is the different members of those arrivals.",
		"p90 is what nine tenths of the times were at or under, linear between the closest ranks. Times at which nobody came count as 0.",
		"total is the arrivals, the people-hours, or the different members of all the times together: members of different times are not added up.",
		"Several spaces without tz meet by what their clocks show: the same hour of the same date is one time, and their people are added up.",
	},
	Leaves: []string{
		"The running hour, and hours of which the range's bounds cut a part off.",
		"Visits on closed days. Opening hours do not matter on an open day.",
		"An hour that never came has n = 0, and no figures.",
	},
	Reads:   "The visits of the range's days.",
	Example: "from=2026-03-17&to=2026-04-01&space=berlin",
}, heatmap)

type heatmapParams struct {
	Common
	Filtered
	ByVisit
	Compared
	Days

	Metric string `param:"metric" enum:"arrivals,occupancy,unique_members" default:"arrivals" doc:"What is counted in each hour."`
}

type heatmapRow struct {
	Weekday string `json:"weekday" doc:"What day the clock shows: mon, tue, …; the first is that of week_start."`
	Hour    int64  `json:"hour" doc:"What hour it shows, 0 to 23."`
	Mean    *Mean  `json:"mean" doc:"Of the metric, over all times that the hour came."`
	P90     *Mean  `json:"p90" doc:"What nine tenths of the times were at or under."`
	N       int64  `json:"n" unit:"times" doc:"How often the hour came."`
	Total   *Mean  `json:"total" doc:"Arrivals, people-hours, or different members of all times."`
}

type heatmapTotals struct {
	Mean  *Mean `json:"mean"`
	P90   *Mean `json:"p90"`
	N     int64 `json:"n"`
	Total *Mean `json:"total"`
}

// hourLength and dayLength are in µs.
const (
	hourLength = int64(time.Hour / time.Microsecond)
	dayLength  = 24 * hourLength
)

// heat is a heatmap in the making.
type heat struct {
	*scope
	metric string
	days   string
}

func heatmap(ctx context.Context, s *scope, p heatmapParams) (counted[heatmapRow, heatmapTotals], error) {
	var answer counted[heatmapRow, heatmapTotals]
	h := heat{s, p.Metric, p.Days.Days}
	hours, err := s.hourCount(ctx, hourLength, h.counts)
	if err != nil {
		return answer, err
	}
	hours.members = p.Metric == "unique_members"
	if err := hours.count(ctx); err != nil {
		return answer, err
	}
	var cells [7 * 24][]*traffic // of all times that an hour came, in all spaces together
	var all []*traffic
	for came, row := range hours.rows {
		cell := h.cell(came.shown)
		cells[cell] = append(cells[cell], &row.traffic)
		all = append(all, &row.traffic)
	}
	for i, times := range cells {
		t := h.figures(times)
		answer.rows = append(answer.rows, heatmapRow{h.weekday(i / 24), int64(i % 24), t.Mean, t.P90, t.N, t.Total})
	}
	answer.totals = h.figures(all)
	if p.Metric == "occupancy" {
		answer.ends, err = s.ends(ctx)
	}
	return answer, err
}

// counts says whether an hour is over, whole, and on days that count.
func (h *heat) counts(p *place, hour *hour) bool {
	if hour.end > h.asOf {
		return false
	}
	for d := hour.first; d <= hour.last; d++ {
		if !p.alive(d) || h.days == "open" && !p.calendar.IsOpen(d) {
			return false
		}
	}
	if day := h.span(p, hour.first); day.start < hour.start && hour.end < day.end {
		return !hour.torn // it lies between others of the day
	}
	return !p.sameHour(hour.start-1, hour.start) && !p.sameHour(hour.end-1, hour.end)
}

// sameHour says whether the clock shows the same hour at two instants that are next to
// each other. If it was set between them, it is another one.
func (p *place) sameHour(a, b int64) bool {
	zone := p.grid.On(p.grid.DayAt(a)).Zone
	before, after := time.UnixMicro(a).In(zone), time.UnixMicro(b).In(zone)
	_, offset := before.Zone()
	_, set := after.Zone()
	return before.Hour() == after.Hour() && offset == set
}

// cell is the row of an hour, by what the clock shows at its begin.
func (h *heat) cell(shown int64) int {
	weekday := calendar.Date(floor(shown, dayLength) / dayLength).Weekday()
	return int(weekday-h.asked.week()+7)%7*24 + int(mod(shown, dayLength)/hourLength)
}

// weekday is the name of a day by its place in the week.
func (h *heat) weekday(at int) string {
	return strings.ToLower(((h.asked.week() + time.Weekday(at)) % 7).String()[:3])
}

// figures is what some times come to.
func (h *heat) figures(times []*traffic) heatmapTotals {
	if len(times) == 0 {
		return heatmapTotals{}
	}
	var arrivals, presence int64
	var members memberSet
	values := make([]float64, len(times))
	for i, came := range times {
		arrivals += came.arrivals
		presence += came.presence
		if came.members != nil {
			came.members.enter(&members)
		}
		values[i] = h.value(came)
	}
	slices.Sort(values) // before they are added up: so the sum is the same each time
	var sum float64
	for _, value := range values {
		sum += value
	}
	mean, p90 := Mean(sum/float64(len(values))), Mean(*quantile(values, 0.9))
	total := Mean(arrivals)
	switch h.metric {
	case "occupancy":
		total = Mean(float64(presence) / float64(hourLength))
	case "unique_members":
		total = Mean(members.size())
	}
	return heatmapTotals{Mean: &mean, P90: &p90, N: int64(len(times)), Total: &total}
}

// value is the metric at one time.
func (h *heat) value(came *traffic) float64 {
	switch h.metric {
	case "occupancy":
		return came.people
	case "unique_members":
		return float64(came.members.size())
	default:
		return float64(came.arrivals)
	}
}
