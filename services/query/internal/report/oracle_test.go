package report_test

import (
	"math"
	"slices"
	"strconv"
	"sync"
	"time"
)

// The oracle answers the same questions in plain loops over raw visits and
// events. It shares no code with what it judges: days, too, are found by looking
// at a clock every quarter of an hour.

// site is a space of a made-up world.
type site struct {
	name     string
	zone     *time.Location
	dayStart time.Duration
	capacity int64
	opens    map[time.Weekday][2]time.Duration // nil: always open
	events   []happening
	visits   []attendance
}

// happening is an event.
type happening struct {
	kind         string
	at, received time.Time
}

// attendance is a visit.
type attendance struct {
	day      time.Time // midnight UTC of its date
	member   string    // "": anonymous
	in, out  time.Time
	away     [2]time.Time // zero: none
	party    int64
	explicit bool
	cutoff   bool
}

// stays is the stretches in which the visitors were inside, up to asOf.
func (a attendance) stays(asOf time.Time) [][2]time.Time {
	stays := [][2]time.Time{{a.in, a.out}}
	if !a.away[0].IsZero() {
		stays = [][2]time.Time{{a.in, a.away[0]}, {a.away[1], a.out}}
	}
	var seen [][2]time.Time
	for _, s := range stays {
		if s[1].After(asOf) {
			s[1] = asOf
		}
		if s[0].Before(s[1]) {
			seen = append(seen, s)
		}
	}
	return seen
}

// wallClock is a way to tell days.
type wallClock struct {
	zone     *time.Location
	dayStart time.Duration
}

// at is the first quarter of an hour whose clock shows a date and a time after its
// midnight, or later.
func (w wallClock) at(date time.Time, offset time.Duration) time.Time {
	looked := look{w.zone.String(), date.Add(offset).Unix()}
	if seen, known := looks.Load(looked); known {
		return seen.(time.Time) //nolint:errcheck // nothing else is kept
	}
	seen := w.lookFor(date.Add(offset))
	looks.Store(looked, seen)
	return seen
}

// looks is what was seen when somebody looked at a clock before, a time by its look.
var looks sync.Map

type look struct {
	zone string
	want int64
}

func (w wallClock) lookFor(want time.Time) time.Time {
	for t := want.Add(-15 * time.Hour); ; t = t.Add(15 * time.Minute) {
		l := t.In(w.zone)
		shown := time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), 0, time.UTC)
		if !shown.Before(want) {
			return t
		}
	}
}

func (w wallClock) start(date time.Time) time.Time { return w.at(date, w.dayStart) }

// day is the date whose day holds an instant.
func (w wallClock) day(t time.Time) time.Time {
	date := t.Truncate(24*time.Hour).AddDate(0, 0, 2)
	for w.start(date).After(t) {
		date = date.AddDate(0, 0, -1)
	}
	return date
}

// question is what the oracle is asked.
type question struct {
	asOf             time.Time
	sites            []*site
	tz               *time.Location
	from, to         time.Time // dates
	fromTime, toTime time.Time // instants instead; zero: none
	interval         string
	weekStart        time.Weekday
}

func (q question) clock(s *site) wallClock {
	if q.tz != nil {
		return wallClock{q.tz, 0}
	}
	return wallClock{s.zone, s.dayStart}
}

// dates is the dates of the answer.
func (q question) dates() []time.Time {
	from, to := q.from, q.to
	for i, s := range q.sites {
		if !q.fromTime.IsZero() {
			first, last := q.clock(s).day(q.fromTime), q.clock(s).day(q.toTime.Add(-time.Microsecond))
			if i == 0 || first.Before(from) {
				from = first
			}
			if i == 0 || !last.Before(to) {
				to = last.AddDate(0, 0, 1)
			}
		}
	}
	var dates []time.Time
	for d := from; d.Before(to); d = d.AddDate(0, 0, 1) {
		dates = append(dates, d)
	}
	return dates
}

// window is the instants of a date that are asked about.
func (q question) window(s *site, date time.Time) (start, end time.Time) {
	c := q.clock(s)
	start, end = c.start(date), c.start(date.AddDate(0, 0, 1))
	if !q.fromTime.IsZero() {
		if start.Before(q.fromTime) {
			start = q.fromTime
		}
		if end.After(q.toTime) {
			end = q.toTime
		}
	}
	return start, end
}

// asked says whether an instant is within the question's range, and on which date.
func (q question) asked(s *site, t time.Time) (time.Time, bool) {
	date := q.clock(s).day(t)
	if !slices.ContainsFunc(q.dates(), date.Equal) {
		return date, false
	}
	start, end := q.window(s, date)
	return date, !t.Before(start) && t.Before(end)
}

// alive says whether a date is in the life of a space.
func (q question) alive(s *site, date time.Time) bool {
	if len(s.events) == 0 {
		return false
	}
	first := s.events[0].at
	for _, e := range s.events {
		if e.at.Before(first) {
			first = e.at
		}
	}
	c := q.clock(s)
	return !date.Before(c.day(first)) && !date.After(c.day(q.asOf))
}

// bucket is the first date of the row that a date counts in.
func (q question) bucket(date time.Time) time.Time {
	switch q.interval {
	case "week":
		for date.Weekday() != q.weekStart {
			date = date.AddDate(0, 0, -1)
		}
	case "month":
		date = date.AddDate(0, 0, 1-date.Day())
	}
	return date
}

// row is a row of an answer, as JSON has it; nil is null.
type row = map[string]any

// wordOf is a field that is a text; "" where it is null.
func wordOf(r row, field string) string {
	word, _ := r[field].(string)
	return word
}

func hours(d time.Duration) any { return round(d.Hours()) }

func round(f float64) any { return math.Round(f*1e6) / 1e6 }

func text(date time.Time) string { return date.Format(time.DateOnly) }

// dailyUsage is the report's rows and totals, with the late events and the share
// of estimated ends.
func (q question) dailyUsage() (rows []row, totals row, late int, share any) {
	ranged := map[string]bool{}
	var ended, estimated float64
	aliveAtAll, partialAtAll := false, false
	var sum [6]float64
	for _, date := range q.dates() {
		bucket := q.bucket(date)
		if len(rows) > 0 && rows[len(rows)-1]["date"] == text(bucket) {
			continue
		}
		alive, partial := false, false
		var checkins, failed, visits, anonymous, open float64
		var inside time.Duration
		members := map[string]bool{}
		for _, s := range q.sites {
			for _, d := range q.dates() {
				if q.bucket(d).Equal(bucket) && q.alive(s, d) {
					alive = true
					start, end := q.window(s, d)
					partial = partial || !q.asOf.Before(start) && q.asOf.Before(end)
				}
			}
			for _, e := range s.events {
				if d, in := q.asked(s, e.at); in && q.alive(s, d) && q.bucket(d).Equal(bucket) {
					switch e.kind {
					case "checkin", "token_used":
						checkins++
					case "checkin_failed":
						failed++
					}
				}
			}
			for _, v := range s.visits {
				d, in := q.asked(s, v.in)
				if !in || !q.alive(s, d) || !q.bucket(d).Equal(bucket) {
					continue
				}
				visits++
				if v.member == "" {
					anonymous++
				} else {
					members[v.member], ranged[v.member] = true, true
				}
				for _, stay := range v.stays(q.asOf) {
					inside += stay[1].Sub(stay[0]) * time.Duration(v.party)
				}
				if v.out.After(q.asOf) {
					open++
				} else {
					ended++
					if !v.explicit {
						estimated++
					}
				}
			}
		}
		r := row{
			"date": text(bucket), "checkins": nil, "visits": nil, "unique_members": nil, "anonymous_visits": nil,
			"failed": nil, "visitor_hours": nil, "open": nil, "partial": partial,
		}
		if alive {
			r["checkins"], r["failed"], r["visits"], r["anonymous_visits"], r["open"] = checkins, failed, visits, anonymous, open
			r["unique_members"], r["visitor_hours"] = float64(len(members)), hours(inside)
		}
		rows = append(rows, r)
		aliveAtAll, partialAtAll = aliveAtAll || alive, partialAtAll || partial
		for i, n := range []float64{checkins, failed, visits, anonymous, open, float64(inside)} {
			sum[i] += n
		}
	}
	totals = row{
		"checkins": nil, "visits": nil, "unique_members": nil, "anonymous_visits": nil,
		"failed": nil, "visitor_hours": nil, "open": nil, "partial": partialAtAll,
	}
	if aliveAtAll {
		totals["checkins"], totals["failed"], totals["visits"], totals["anonymous_visits"], totals["open"] = sum[0], sum[1], sum[2], sum[3], sum[4]
		totals["unique_members"], totals["visitor_hours"] = float64(len(ranged)), hours(time.Duration(sum[5]))
	}
	for _, s := range q.sites {
		for _, e := range s.events {
			if _, in := q.asked(s, e.at); in && e.received.Sub(e.at) > 15*time.Minute {
				late++
			}
		}
	}
	if ended > 0 {
		share = round(estimated / ended)
	}
	return rows, totals, late, share
}

// uniqueMembers is the report's rows and totals.
func (q question) uniqueMembers() (rows []row, totals row) {
	// seen is who came on the days [from, to], within the range or before it too.
	seen := func(from, to time.Time, ranged bool) float64 {
		members := map[string]bool{}
		for _, s := range q.sites {
			for _, v := range s.visits {
				d := q.clock(s).day(v.in)
				_, in := q.asked(s, v.in)
				within := in || !ranged && (d.Before(q.dates()[0]) || v.in.Before(q.fromTime))
				if v.member != "" && within && q.alive(s, d) && !d.Before(from) && !d.After(to) {
					members[v.member] = true
				}
			}
		}
		return float64(len(members))
	}
	totals = row{"unique_members": nil, "rolling_7d": nil, "rolling_28d": nil, "stickiness": nil}
	var daily, days float64
	for _, date := range q.dates() {
		bucket := q.bucket(date)
		if len(rows) == 0 || rows[len(rows)-1]["start"] != text(bucket) {
			rows = append(rows, row{"start": text(bucket), "unique_members": nil, "rolling_7d": nil, "rolling_28d": nil})
		}
		alive := slices.ContainsFunc(q.sites, func(s *site) bool { return q.alive(s, date) })
		if !alive {
			continue
		}
		daily += seen(date, date, true)
		if slices.ContainsFunc(q.sites, func(s *site) bool { return q.alive(s, date) && s.openOn(date) }) {
			days++
		}
		r := rows[len(rows)-1]
		r["unique_members"] = seen(bucket, date, true)
		r["rolling_7d"], r["rolling_28d"] = seen(date.AddDate(0, 0, -6), date, false), seen(date.AddDate(0, 0, -27), date, false)
		totals["unique_members"] = seen(q.dates()[0], date, true)
		totals["rolling_7d"], totals["rolling_28d"] = r["rolling_7d"], r["rolling_28d"]
	}
	if n, known := totals["unique_members"].(float64); known && n > 0 && days > 0 {
		totals["stickiness"] = round(daily / (days * n))
	}
	return rows, totals
}

func (s *site) openOn(date time.Time) bool {
	_, open := s.opens[date.Weekday()]
	return open || s.opens == nil
}

// open says whether a space is open at an instant.
func (s *site) open(t time.Time) bool {
	own := wallClock{s.zone, s.dayStart}
	if s.opens == nil {
		return true
	}
	for _, date := range []time.Time{own.day(t).AddDate(0, 0, -1), own.day(t), own.day(t).AddDate(0, 0, 1)} {
		if opening, open := s.opens[date.Weekday()]; open && !t.Before(own.at(date, opening[0])) && t.Before(own.at(date, opening[1])) {
			return true
		}
	}
	return false
}

// inside is how many people are in a space at an instant.
func (s *site) inside(t, asOf time.Time) int64 {
	var n int64
	for _, v := range s.visits {
		for _, stay := range v.stays(asOf) {
			if !t.Before(stay[0]) && t.Before(stay[1]) {
				n += v.party
			}
		}
	}
	return n
}

// moments is every instant of a window at which anything in the sites changes,
// from its start on.
func (q question) moments(sites []*site, start, end time.Time) []time.Time {
	moments := []time.Time{start}
	for t := start.Truncate(15 * time.Minute); t.Before(end); t = t.Add(15 * time.Minute) {
		moments = append(moments, t)
	}
	for _, s := range sites {
		for _, v := range s.visits {
			for _, stay := range v.stays(q.asOf) {
				moments = append(moments, stay[0], stay[1])
			}
		}
	}
	moments = slices.DeleteFunc(moments, func(t time.Time) bool { return t.Before(start) || !t.Before(end) })
	slices.SortFunc(moments, time.Time.Compare)
	return append(slices.CompactFunc(moments, time.Time.Equal), end)
}

// hourlyUsage is the report's rows, for one space or one zone.
func (q question) hourlyUsage() []row {
	length := time.Hour
	if q.interval == "15m" {
		length = 15 * time.Minute
	}
	type span struct {
		start, end time.Time
		alive      []bool
	}
	var spans []span
	for _, date := range q.dates() {
		start, end := q.window(q.sites[0], date)
		zone := q.clock(q.sites[0]).zone
		alive := make([]bool, len(q.sites))
		for i, s := range q.sites {
			alive[i] = q.alive(s, date)
		}
		for t := start; t.Before(end); {
			next := t.Truncate(15 * time.Minute).Add(15 * time.Minute)
			if next.After(end) {
				next = end
			}
			l := t.In(zone)
			_, offset := l.Zone()
			sinceHour := time.Duration(l.Minute())*time.Minute + time.Duration(l.Second())*time.Second
			joined := false
			if last := len(spans) - 1; last >= 0 && sinceHour%length >= 15*time.Minute {
				if _, before := t.Add(-time.Microsecond).In(zone).Zone(); before == offset {
					spans[last].end, joined = next, true
					for i := range alive {
						spans[last].alive[i] = spans[last].alive[i] || alive[i]
					}
				}
			}
			if !joined {
				spans = append(spans, span{t, next, slices.Clone(alive)})
			}
			t = next
		}
	}
	var rows []row
	for _, h := range spans {
		r := row{
			"start":    h.start.UTC().Format(time.RFC3339Nano),
			"local":    h.start.In(q.clock(q.sites[0]).zone).Format("2006-01-02T15:04"),
			"arrivals": nil, "departures": row{"explicit": nil, "estimated": nil}, "avg_occupancy": nil, "peak_occupancy": nil,
		}
		rows = append(rows, r)
		if !slices.Contains(h.alive, true) {
			continue
		}
		var living []*site
		for i, s := range q.sites {
			if h.alive[i] {
				living = append(living, s)
			}
		}
		var arrivals, explicit, estimated float64
		for _, s := range living {
			for _, v := range s.visits {
				if !v.in.Before(h.start) && v.in.Before(h.end) {
					arrivals++
				}
				left := v.out
				if v.cutoff {
					left = v.out.Add(-time.Microsecond)
				}
				if !left.Before(h.start) && left.Before(h.end) && !v.out.After(q.asOf) {
					if v.explicit {
						explicit++
					} else {
						estimated++
					}
				}
			}
		}
		r["arrivals"], r["departures"] = arrivals, row{"explicit": explicit, "estimated": estimated}
		end := h.end
		if q.asOf.Before(end) {
			end = q.asOf
		}
		if !h.start.Before(end) {
			continue
		}
		moments := q.moments(living, h.start, end)
		var peak int64
		var presence float64
		for i, t := range moments[:len(moments)-1] {
			var n int64
			for _, s := range living {
				n += s.inside(t, q.asOf)
			}
			peak = max(peak, n)
			presence += float64(n) * float64(moments[i+1].Sub(t))
		}
		r["peak_occupancy"], r["avg_occupancy"] = float64(peak), round(presence/float64(end.Sub(h.start)))
	}
	return rows
}

// occupancyPeak is the report's rows.
func (q question) occupancyPeak() []row {
	var rows []row
	for _, date := range q.dates() {
		r := row{
			"date": text(date), "peak": nil, "peak_at": nil, "avg_open_hours": nil,
			"minutes_over": row{"60": nil, "80": nil, "100": nil},
		}
		rows = append(rows, r)
		var first, last time.Time
		var living []*site
		for _, s := range q.sites {
			if !q.alive(s, date) {
				continue
			}
			living = append(living, s)
			start, end := q.window(s, date)
			if first.IsZero() || start.Before(first) {
				first = start
			}
			if end.After(last) {
				last = end
			}
		}
		if len(living) == 0 {
			continue
		}
		var peak int64
		r["peak"] = 0.0
		if last.After(q.asOf) {
			last = q.asOf
		}
		known := true
		for _, s := range living {
			if start, end := q.window(s, date); start.Before(end) && start.Before(q.asOf) {
				known = known && s.capacity > 0
			}
		}
		var over [3]time.Duration
		var openTime, openPresence float64
		if first.Before(last) {
			moments := q.moments(living, first, last)
			for i, t := range moments[:len(moments)-1] {
				width := moments[i+1].Sub(t)
				var inside, seats int64
				open := false
				for _, s := range living {
					start, end := q.window(s, date)
					if t.Before(start) || !t.Before(end) {
						continue
					}
					n := s.inside(t, q.asOf)
					inside += n
					seats += s.capacity
					if s.open(t) {
						open = true
						openPresence += float64(n) * float64(width)
					}
				}
				if inside > peak {
					peak = inside
					r["peak"], r["peak_at"] = float64(inside), t.UTC().Format(time.RFC3339Nano)
				}
				if open {
					openTime += float64(width)
				}
				for k, percent := range []int64{60, 80, 100} {
					if seats > 0 && inside*100 > percent*seats {
						over[k] += width
					}
				}
			}
		}
		if openTime > 0 {
			r["avg_open_hours"] = round(openPresence / openTime)
		}
		if known {
			minutes := row{}
			for k, percent := range []int{60, 80, 100} {
				minutes[strconv.Itoa(percent)] = round(over[k].Minutes())
			}
			r["minutes_over"] = minutes
		}
	}
	return rows
}
