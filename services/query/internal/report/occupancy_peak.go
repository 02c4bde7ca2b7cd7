package report

import (
	"context"
	"time"

	"coworking/pkg/calendar"
)

// OccupancyPeak is how full it was at most.
var OccupancyPeak = define("occupancy_peak", Definition{
	Doc: "The most people at one instant of each day, when that was, and for how long the spaces were nearly or more than full.",
	Counts: []string{
		"Visits are swept in order of time, so the peak is exact; who leaves at the instant that another comes was never there together with them.",
		"minutes_over is the time in which more than 60, 80 and 100 % of the seats of that moment were taken.",
		"avg_open_hours is people inside weighted by time, in opening hours; without known hours it is all day.",
	},
	Leaves:  []string{"Minutes over a share are null where a space's capacity is not known.", "Presence after now."},
	Reads:   "The visits of the range's days, and the capacity and opening hours of each day.",
	Example: "from=2026-03-27&to=2026-04-02&space=berlin&space=kathmandu",
}, occupancyPeak)

type occupancyPeakParams struct {
	Common
	Filtered
	ByVisit
	Compared
	Interval string `param:"interval" enum:"day,week,month" default:"day" doc:"How many days a row counts."`
}

type occupancyPeakRow struct {
	Date         calendar.Date `json:"date" doc:"The visit day, or the first day of the week or month."`
	Peak         *int64        `json:"peak" unit:"people" doc:"The most people inside at one instant."`
	PeakAt       *time.Time    `json:"peak_at" doc:"When they first were that many; null if nobody came."`
	AvgOpenHours *Mean         `json:"avg_open_hours" unit:"people" doc:"People inside in opening hours, weighted by time; null on a closed day."`
	MinutesOver  minutesOver   `json:"minutes_over"`
}

type minutesOver struct {
	Sixty   *Minutes `json:"60" unit:"minutes" doc:"Time with more than 60 % of the seats taken; null without a known capacity."`
	Eighty  *Minutes `json:"80" unit:"minutes" doc:"The same of 80 %."`
	Hundred *Minutes `json:"100" unit:"minutes" doc:"The same of 100 %."`
}

type occupancyPeakTotals struct {
	Peak         *int64      `json:"peak"`
	PeakAt       *time.Time  `json:"peak_at"`
	AvgOpenHours *Mean       `json:"avg_open_hours"`
	MinutesOver  minutesOver `json:"minutes_over"`
}

// heights is a row in the making. Several spaces are swept together: an instant
// counts who was inside where the row's days were running then.
type heights struct {
	alive   bool
	seatsOf bool // the capacity of each space was known throughout
	sweep   sweep
	peak    int64
	peakAt  int64
	open    int64 // µs in which at least one space was open
	inOpen  int64 // headcount × µs in opening hours
	over    [3]int64
	ends    ends
}

// shares is the parts of the capacity, in per cent, that minutes are counted over.
var shares = [3]int64{60, 80, 100}

// piece is the part of a row that one visit day of a space gives.
type piece struct {
	window
	row  int
	open []window
}

func occupancyPeak(ctx context.Context, s *scope, p occupancyPeakParams) (counted[occupancyPeakRow, occupancyPeakTotals], error) {
	b := s.buckets(p.Interval)
	rows := make([]heights, len(b.starts))
	for i := range rows {
		rows[i].seatsOf = true
	}
	pieces := map[placeDay][]piece{}
	rests := make([][]daysOf, len(rows))
	for _, place := range s.places {
		for d := s.from; d < s.to; d++ {
			if !place.alive(d) {
				continue
			}
			row := b.row(d)
			rows[row].alive = true
			rests[row] = append(rests[row], daysOf{place, d, d + 1})
			span := s.span(place, d).before(s.asOf)
			first, stop := place.ownDays(span)
			for own := first; own < stop; own++ {
				piece := s.piece(place, own, span, row)
				rows[row].furnish(piece, place.calendar.On(own).Capacity)
				pieces[placeDay{place, own}] = append(pieces[placeDay{place, own}], piece)
			}
		}
	}
	on, days, err := unmeasured(ctx, s, "heights", rows, rests)
	if err != nil {
		return counted[occupancyPeakRow, occupancyPeakTotals]{}, err
	}
	var e ends
	err = s.inTime(ctx, days, len(rows), func(v *stay) (last int) {
		counts := &e
		for _, piece := range pieces[placeDay{v.place, v.day}] {
			rows[piece.row].stay(v, piece)
			counts, last = &rows[piece.row].ends, piece.row
		}
		if s.instants(v.place).holds(v.in) {
			counts.count(v, s.asOf)
		}
		return last
	}, func(row int, until int64) bool { return rows[row].measure(until) })
	if err != nil {
		return counted[occupancyPeakRow, occupancyPeakTotals]{}, err
	}
	for i := range rows {
		s.reader.memory.results.keep(on[i], rows[i], rowRoom)
		e.all += rows[i].ends.all
		e.estimated += rows[i].ends.estimated
	}
	answer := peakAnswer(b, rows)
	answer.interval, answer.ends = p.Interval, e
	answer.partialLast = s.anyRunning(s.to - 1)
	return answer, nil
}

// piece cuts a visit day to a row's span, with its opening hours.
func (s *scope) piece(p *place, own calendar.Date, span window, row int) piece {
	start, end := p.calendar.Span(own)
	cut := piece{window: window{start, end}.cut(span), row: row}
	for _, hours := range p.calendar.Open(own) {
		if open := (window{hours.From.UnixMicro(), hours.To.UnixMicro()}).cut(cut.window); !open.empty() {
			cut.open = append(cut.open, open)
		}
	}
	return cut
}

// furnish notes what room there is, and when it is open.
func (h *heights) furnish(p piece, capacity int) {
	if p.empty() {
		return
	}
	h.seatsOf = h.seatsOf && capacity > 0
	h.sweep.add(step{at: p.start, capacity: int64(capacity)}, step{at: p.end, capacity: -int64(capacity)})
	for _, open := range p.open {
		h.sweep.add(step{at: open.start, open: 1}, step{at: open.end, open: -1})
	}
}

// stay notes a visit's presence in a piece of the row.
func (h *heights) stay(v *stay, p piece) {
	v.present(p.window, func(inside window) {
		h.sweep.add(step{at: inside.start, headcount: v.party}, step{at: inside.end, headcount: -v.party})
		for _, open := range p.open {
			h.inOpen += inside.cut(open).length() * v.party
		}
	})
}

// measure sweeps over the row up to an instant, and says whether anything is left of it.
func (h *heights) measure(until int64) bool {
	return h.sweep.until(until, func(w window, held step) {
		if held.headcount > h.peak {
			h.peak, h.peakAt = held.headcount, w.start
		}
		if held.open > 0 {
			h.open += w.length()
		}
		for i, share := range shares {
			if held.capacity > 0 && held.headcount*100 > share*held.capacity {
				h.over[i] += w.length()
			}
		}
	})
}

func peakAnswer(b buckets, rows []heights) counted[occupancyPeakRow, occupancyPeakTotals] {
	answer := counted[occupancyPeakRow, occupancyPeakTotals]{rows: make([]occupancyPeakRow, len(rows))}
	total := heights{seatsOf: true}
	for i := range rows {
		h := &rows[i]
		answer.rows[i] = occupancyPeakRow{
			Date: b.starts[i],
			Peak: h.known(), PeakAt: h.at(), AvgOpenHours: mean(h.inOpen, h.open), MinutesOver: h.minutes(),
		}
		total.add(h)
	}
	answer.totals = occupancyPeakTotals{
		Peak: total.known(), PeakAt: total.at(), AvgOpenHours: mean(total.inOpen, total.open), MinutesOver: total.minutes(),
	}
	return answer
}

// add counts a row into the range.
func (h *heights) add(o *heights) {
	if !o.alive {
		return
	}
	h.alive = true
	h.seatsOf = h.seatsOf && o.seatsOf
	if o.peak > h.peak {
		h.peak, h.peakAt = o.peak, o.peakAt
	}
	h.open += o.open
	h.inOpen += o.inOpen
	for i, over := range o.over {
		h.over[i] += over
	}
}

func (h *heights) known() *int64 {
	if !h.alive {
		return nil
	}
	return &h.peak
}

func (h *heights) at() *time.Time {
	if h.peak == 0 {
		return nil
	}
	at := time.UnixMicro(h.peakAt).UTC()
	return &at
}

func (h *heights) minutes() minutesOver {
	if !h.alive || !h.seatsOf {
		return minutesOver{}
	}
	sixty, eighty, hundred := Minutes(h.over[0]), Minutes(h.over[1]), Minutes(h.over[2])
	return minutesOver{&sixty, &eighty, &hundred}
}
