package report

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"

	"coworking/pkg/calendar"
)

// hour is a stretch of time in one space in which its clock shows the same row.
type hour struct {
	window
	clock       clock
	local       int64         // what the wall clock shows at its start, in µs since 1970
	first, last calendar.Date // of the grid: the dates that it is of
	alive       bool
	torn        bool // without being set, the clock shows the same right before or after it
}

// hours is the rows that a space's range has, in order of time: its quarters of
// an hour, joined as long as the wall clock shows the same row.
func (s *scope) hours(p *place, length int64) []hour {
	var hours []hour
	face := newClockFace()
	var before struct{ local, offset int64 } // of the quarter before
	for d := s.from; d < s.to; d++ {
		day, zone, alive := s.span(p, d), p.grid.On(d).Zone, p.alive(d)
		for at := day.start; at < day.end; {
			end := min(floor(at, slotLength)+slotLength, day.end)
			shown, local := face.show(at, zone, length)
			last := len(hours) - 1
			if last >= 0 && hours[last].clock == shown {
				hours[last].end, hours[last].last = end, d
				hours[last].alive = hours[last].alive || alive
			} else {
				torn := last >= 0 && local-at == before.offset && floor(local, length) == floor(before.local, length)
				if torn {
					hours[last].torn = true
				}
				hours = append(hours, hour{window{at, end}, shown, local, d, d, alive, torn})
			}
			before.local, before.offset = local, local-at
			at = end
		}
	}
	return hours
}

// traffic is who came and went, and was inside, while clocks showed a row.
type traffic struct {
	arrivals            int64
	explicit, estimated int64    // departures
	presence            int64    // headcount × µs
	people              float64  // inside on average, added up over the spaces
	peak                int64    // the most people at one instant
	members             *turnout // of the arrivals, if they are wanted
}

// trafficRoom is how many bytes one takes without its members.
const trafficRoom = 120

// showing is a row of what clocks show while its traffic is counted: in all hours, of all
// spaces, in which they show it.
type showing struct {
	traffic

	hours []*countedHour
	rests grounds
	due   bool // it is being counted
	moves []move
	set   memberSet
}

// move is people who come, or go if they are fewer than none.
type move struct {
	at     int64 // since the hour began
	people int64
}

// countedHour is an hour in which visits are counted.
type countedHour struct {
	hour

	row           *showing
	presence      int64
	began, lasted int64 // people who were inside as it began, and up to its end
}

// hourCount is the traffic of hours, by space and by what the clock shows, in the making.
type hourCount struct {
	*scope

	members bool // they are wanted, too
	hours   map[*place][]countedHour
	rows    map[clock]*showing
}

// hourCount begins a count of those hours of which counts says that they count. To lay them
// out takes long enough that it is first seen whether the days are known.
func (s *scope) hourCount(ctx context.Context, length int64, counts func(*place, *hour) bool) (*hourCount, error) {
	if _, err := s.recall(ctx, s.rangeOf(s.places)...); err != nil {
		return nil, err
	}
	c := &hourCount{scope: s, hours: map[*place][]countedHour{}, rows: map[clock]*showing{}}
	for _, p := range s.places {
		all := s.hours(p, length)
		counted := make([]countedHour, 0, len(all))
		for i := range all {
			h := &all[i]
			if !counts(p, h) {
				continue
			}
			row, known := c.rows[h.clock]
			if !known {
				row = &showing{}
				c.rows[h.clock] = row
			}
			counted = append(counted, countedHour{hour: *h, row: row})
			row.hours = append(row.hours, &counted[len(counted)-1])
		}
		c.hours[p] = counted
	}
	return c, nil
}

// fewRows is how many rows are counted at a time: what must be known of their visits
// meanwhile takes room.
const fewRows = 200

// count counts them. What rests on days that are over is remembered.
func (c *hourCount) count(ctx context.Context) error {
	if err := c.findRests(ctx); err != nil {
		return err
	}
	results := c.reader.memory.results
	var uncounted []*showing
	for _, shown := range slices.SortedFunc(maps.Keys(c.rows), clock.compare) {
		row := c.rows[shown]
		if found, known := results.find(row.rests); known {
			row.traffic, _ = found.(traffic)
		} else {
			uncounted = append(uncounted, row)
		}
	}
	for rows := range slices.Chunk(uncounted, fewRows) {
		for _, row := range rows {
			row.due = true
		}
		if err := c.add(c.walk(ctx, c.daysDue())); err != nil {
			return err
		}
		for _, row := range rows {
			row.close(c.members)
			results.keep(row.rests, row.traffic, trafficRoom+row.traffic.members.room())
		}
	}
	return nil
}

// findRests finds what the rows rest on of which all days are over: where and when the hours
// are, and the versions of the days that they are of.
func (c *hourCount) findRests(ctx context.Context) error {
	settled, _ := c.settled()
	recalled, err := c.recall(ctx, settled...)
	if err != nil {
		return err
	}
	numbers, running := map[*showing][]int64{}, map[*showing]bool{}
	for i, a := range settled {
		over := a.span()
		for j := range c.hours[a.place] {
			h := &c.hours[a.place][j]
			if h.cut(over) != h.window {
				running[h.row] = true
				continue
			}
			numbers[h.row] = append(numbers[h.row], int64(a.place.id), a.place.settings, h.start, h.end)
			first, stop := a.place.ownDays(h.window)
			for d := first; d < stop; d++ {
				numbers[h.row] = append(numbers[h.row], recalled[i][d-a.first].version)
			}
		}
	}
	what := "traffic"
	if c.members {
		what = "traffic with members"
	}
	for row, rests := range numbers {
		if !running[row] {
			row.rests = on(what, rests...)
		}
	}
	return nil
}

// daysDue is the days that hold any of the hours of rows that are due.
func (c *hourCount) daysDue() ownDays {
	var days ownDays
	for _, p := range c.places {
		var next daysOf // what follows each other is asked for at once
		for i := range c.hours[p] {
			h := &c.hours[p][i]
			if !h.row.due {
				continue
			}
			first, stop := p.ownDays(h.window)
			if first > next.stop {
				days.add(p, next.first, next.stop)
				next.first = first
			}
			if next.first == next.stop {
				next.first = first
			}
			next.stop = stop
		}
		days.add(p, next.first, next.stop)
	}
	return days
}

// add counts visits in the hours that they reach into. Somebody is inside only on the day
// of the visit, and who is cut off at its end leaves in its last hour.
func (c *hourCount) add(visits iter.Seq2[*stay, error]) error {
	var place *place
	var date calendar.Date
	var hours []countedHour
	var day, sofar window
	for v, err := range visits {
		if err != nil {
			return err
		}
		if v.place != place || v.day != date {
			place, date, hours = v.place, v.day, c.hours[v.place]
			start, end := place.calendar.Span(date)
			day = window{start, end}
			sofar = c.instants(place).before(c.asOf).cut(day)
		}
		if h := find(hours, v.in); h != nil {
			h.row.arrivals++
			if c.members && v.member != 0 {
				h.row.set.add(v.member)
			}
		}
		if h := find(hours, min(v.out, day.end-1)); h != nil && v.out <= c.asOf {
			if v.explicit {
				h.row.explicit++
			} else {
				h.row.estimated++
			}
		}
		v.present(sofar, func(inside window) {
			for i := firstOver(hours, inside.start); i < len(hours) && hours[i].start < inside.end; i++ {
				hours[i].hold(inside.cut(hours[i].window), v.party)
			}
		})
	}
	return nil
}

// hold notes people who were inside for a part of the hour. Most were so as it began, or up
// to its end: of those it is enough to know how many.
func (h *countedHour) hold(w window, people int64) {
	if w.empty() || !h.row.due {
		return
	}
	h.presence += w.length() * people
	if w.start == h.start {
		h.began += people
	} else {
		h.row.moves = append(h.row.moves, move{w.start - h.start, people})
	}
	if w.end == h.end {
		h.lasted += people
	} else {
		h.row.moves = append(h.row.moves, move{w.end - h.start, -people})
	}
}

// close adds up what was counted. What happens at one instant happens at once, as in sweep.
func (r *showing) close(members bool) {
	r.due = false
	for _, h := range r.hours {
		r.presence += h.presence
		r.people += float64(h.presence) / float64(h.length())
		r.moves = append(r.moves, move{0, h.began}, move{h.length(), -h.lasted})
	}
	slices.SortFunc(r.moves, func(a, b move) int { return cmp.Compare(a.at, b.at) })
	var inside int64
	for i, m := range r.moves {
		if i > 0 && r.moves[i-1].at < m.at {
			r.peak = max(r.peak, inside)
		}
		inside += m.people
	}
	r.moves = nil
	if members {
		var came []int32
		r.set.each(func(member int32) { came = append(came, member) })
		r.traffic.members = turnoutOf(came)
		r.set = memberSet{}
	}
}

// firstOver is the index of the first hour that ends after an instant.
func firstOver(hours []countedHour, at int64) int {
	low, high := 0, len(hours)
	for low < high {
		if middle := (low + high) / 2; hours[middle].end > at {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// find is the hour that holds an instant and must be counted, nil if none does.
func find(hours []countedHour, at int64) *countedHour {
	if i := firstOver(hours, at); i < len(hours) && hours[i].holds(at) && hours[i].row.due {
		return &hours[i]
	}
	return nil
}
