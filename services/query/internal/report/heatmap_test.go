package report_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"coworking/services/query/internal/report"

	"pgregory.net/rapid"
)

// What each hour comes to is in testdata/heatmap.sql.
func TestHeatmapIsAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	later := time.Date(2026, 10, 27, 12, 0, 0, 0, time.UTC)
	byHand(t, "testdata/golden", map[string]asked{
		"heatmap_occupancy": {noon, "heatmap", "from=2026-03-17&to=2026-04-01&space=berlin&metric=occupancy"},
		// Sunday 02:00 came twice in one night: 1 and 2, so 1.5, and 1.9 at nine tenths.
		"heatmap_autumn": {later, "heatmap", "from=2026-10-25&to=2026-10-26&space=berlin"},
		// On all days Monday 10:00 came twice, with one arrival each.
		"heatmap_calendar": {noon, "heatmap", "from=2026-03-17&to=2026-04-01&space=berlin&days=calendar&week_start=sun"},
		// With Kathmandu, Ada counts once at 09:00 on the 24th. Tuesday 14:00 came a third
		// time there, and Wednesday 00:00 once.
		"heatmap_unique_of_two": {noon, "heatmap", "from=2026-03-17&to=2026-04-01&metric=unique_members"},
	})
}

// How busy hours are is what plain loops over clocks and visits say.
func TestHeatmapAgreesWithPlainLoops(t *testing.T) {
	t.Parallel()
	ofMadeUpWorlds(t, 2, func(t *rapid.T, reader *report.Reader, _ *world, q question) {
		query := q.query()
		query.Del("interval")
		metric := rapid.SampledFrom([]string{"arrivals", "occupancy", "unique_members"}).Draw(t, "metric")
		days := rapid.SampledFrom([]string{"open", "calendar"}).Draw(t, "days")
		query.Set("metric", metric)
		query.Set("days", days)
		rows, totals := q.heatmap(metric, days == "calendar")
		hold(t, reader, "heatmap", query, q.asOf, rows)
		holdTotals(t, reader, "heatmap", query, q.asOf, totals)
	})
}

// sighting is one time that a clock showed an hour.
type sighting struct {
	start, end time.Time
	shown      string // the date and hour
	nth        int    // how often it had been seen before
	counts     bool
}

// sightings watches a site's clock over the range, quarter by quarter.
func (q question) sightings(s *site, calendar bool) []sighting {
	zone := q.clock(s).zone
	hourOf := func(t time.Time) string {
		return t.In(zone).Format("2006-01-02T15 -0700")
	}
	var seen []sighting
	before := map[string]int{}
	previous := ""
	for _, date := range q.dates() {
		counts := q.alive(s, date) && (calendar || s.openOn(date))
		start, end := q.window(s, date)
		for t := start; t.Before(end); {
			next := t.Truncate(15 * time.Minute).Add(15 * time.Minute)
			if next.After(end) {
				next = end
			}
			if hour := hourOf(t); hour == previous {
				seen[len(seen)-1].end = next
				seen[len(seen)-1].counts = seen[len(seen)-1].counts && counts
			} else {
				previous = hour
				shown := strings.Fields(hour)[0]
				seen = append(seen, sighting{start: t, end: next, shown: shown, nth: before[shown], counts: counts})
				before[shown]++
			}
			t = next
		}
	}
	for i, h := range seen {
		if h.end.After(q.asOf) || hourOf(h.start.Add(-1)) == hourOf(h.start) || hourOf(h.end.Add(-1)) == hourOf(h.end) {
			seen[i].counts = false
		}
	}
	return seen
}

// crowding is what one time of an hour adds up to, in all sites.
type crowding struct {
	shown            string
	arrivals, people float64
	hours            float64
	members          map[string]bool
}

func (q question) heatmap(metric string, calendar bool) (rows []row, totals row) {
	times := map[string]*crowding{}
	for _, s := range q.sites {
		for _, h := range q.sightings(s, calendar) {
			if !h.counts {
				continue
			}
			key := fmt.Sprint(h.shown, " ", h.nth)
			if times[key] == nil {
				times[key] = &crowding{shown: h.shown, members: map[string]bool{}}
			}
			c := times[key]
			for _, v := range s.visits {
				if !v.in.Before(h.start) && v.in.Before(h.end) {
					c.arrivals++
					if v.member != "" {
						c.members[v.member] = true
					}
				}
				for _, stay := range v.stays(q.asOf) {
					from, to := stay[0], stay[1]
					if from.Before(h.start) {
						from = h.start
					}
					if to.After(h.end) {
						to = h.end
					}
					if from.Before(to) {
						c.hours += to.Sub(from).Hours() * float64(v.party)
						c.people += to.Sub(from).Hours() * float64(v.party) / h.end.Sub(h.start).Hours()
					}
				}
			}
		}
	}
	var all []*crowding
	cells := map[string][]*crowding{}
	for _, c := range times {
		at, err := time.Parse("2006-01-02T15", c.shown)
		if err != nil {
			panic(err)
		}
		cell := at.Format("Mon 15")
		cells[cell] = append(cells[cell], c)
		all = append(all, c)
	}
	for i := range 7 * 24 {
		at := time.Date(2023, 1, 1, i, 0, 0, 0, time.UTC).AddDate(0, 0, int(q.weekStart)) // 1 January 2023 was a Sunday
		r := crowded(cells[at.Format("Mon 15")], metric)
		r["weekday"], r["hour"] = strings.ToLower(at.Format("Mon")), float64(at.Hour())
		rows = append(rows, r)
	}
	return rows, crowded(all, metric)
}

// crowded is the figures of some times.
func crowded(times []*crowding, metric string) row {
	r := row{"mean": nil, "p90": nil, "n": float64(len(times)), "total": nil}
	if len(times) == 0 {
		return r
	}
	var values []float64
	var arrivals, hours, sum float64
	members := []string{}
	for _, c := range times {
		arrivals += c.arrivals
		hours += c.hours
		for member := range c.members {
			if !slices.Contains(members, member) {
				members = append(members, member)
			}
		}
		value := map[string]float64{"arrivals": c.arrivals, "occupancy": c.people, "unique_members": float64(len(c.members))}[metric]
		values = append(values, value)
		sum += value
	}
	r["mean"], r["p90"] = sum/float64(len(times)), under(values, 90)
	r["total"] = map[string]float64{"arrivals": arrivals, "occupancy": hours, "unique_members": float64(len(members))}[metric]
	return r
}
