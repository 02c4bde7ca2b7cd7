package report

import (
	"context"
	_ "embed"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// OccupancyNow is who is in, and whether that can be believed.
var OccupancyNow = define("occupancy_now", Definition{
	Doc: "How many people are in each space now, of how many seats, and whether its readers are alive.",
	Counts: []string{
		"Present is every person of the visits that have begun and not ended; a visit without a check-out ends after the space's default stay.",
		"Members are different people; in totals somebody who is in two spaces counts once. Anonymous are visits of somebody unknown.",
		"A space is stale if nothing was heard of it, not even a heartbeat, for stale_after minutes of its opening hours.",
	},
	Leaves:  []string{"Who is outside between a check-out and a return.", "The share is null where the seats are not known; totals, where those of any space are not.", "It is about now, whatever range is asked for."},
	Reads:   "The visits of each space's running day, and when its sources were last heard of.",
	Example: "",
}, occupancyNow)

type occupancyNowParams struct {
	Present
	Filtered
	StaleAfter int `param:"stale_after" default:"120" least:"1" most:"10080" doc:"After how many minutes of opening hours without a word a space is stale."`
}

type occupancyNowRow struct {
	Space     string     `json:"space" doc:"The space."`
	Present   int64      `json:"present" unit:"people" doc:"People inside."`
	Members   int64      `json:"members" unit:"members" doc:"Different members among them."`
	Anonymous int64      `json:"anonymous" unit:"visits" doc:"Visits of somebody unknown among them."`
	Capacity  *int64     `json:"capacity" unit:"seats" doc:"Seats today; null if nobody said."`
	Pct       *Mean      `json:"pct" unit:"percent" doc:"People per hundred seats."`
	LastEvent *time.Time `json:"last_event" doc:"The latest time that any source sent, heartbeats included."`
	Stale     bool       `json:"stale" doc:"Nothing was heard for so long that the number may be old."`
}

type occupancyNowTotals struct {
	Present   int64      `json:"present"`
	Members   int64      `json:"members"`
	Anonymous int64      `json:"anonymous"`
	Capacity  *int64     `json:"capacity"`
	Pct       *Mean      `json:"pct"`
	LastEvent *time.Time `json:"last_event"`
	Stale     bool       `json:"stale" doc:"At least one space is."`
}

//go:embed last_events.sql
var lastEventsSQL string

func occupancyNow(ctx context.Context, s *scope, p occupancyNowParams) (counted[occupancyNowRow, occupancyNowTotals], error) {
	answer := counted[occupancyNowRow, occupancyNowTotals]{rows: make([]occupancyNowRow, len(s.places)), partialLast: true}
	inside, err := s.inside(ctx)
	if err != nil {
		return answer, err
	}
	heard, err := s.lastEvents(ctx)
	if err != nil {
		return answer, err
	}
	everybody, seats := map[int32]bool{}, true
	total := &answer.totals
	var capacity int64
	for i, place := range s.places {
		row := &answer.rows[i]
		row.Space = place.name
		members := map[int32]bool{}
		for _, v := range inside[place] {
			row.Present += v.party
			if v.member == 0 {
				row.Anonymous++
			} else {
				members[v.member], everybody[v.member] = true, true
			}
		}
		row.Members = int64(len(members))
		room := int64(place.calendar.On(place.calendar.DayAt(s.asOf)).Capacity)
		if room > 0 {
			row.Capacity, row.Pct = &room, percent(row.Present, room)
		}
		seats, capacity = seats && room > 0, capacity+room
		last, known := heard[place.id]
		row.Stale = !known || place.openTime(last, s.asOf) >= int64(p.StaleAfter)*time.Minute.Microseconds()
		if known {
			at := s.shown(place, last)
			row.LastEvent = &at
			if total.LastEvent == nil || at.After(*total.LastEvent) {
				total.LastEvent = &at
			}
		}
		total.Present += row.Present
		total.Anonymous += row.Anonymous
		total.Stale = total.Stale || row.Stale
	}
	total.Members = int64(len(everybody))
	if seats && len(s.places) > 0 {
		total.Capacity, total.Pct = &capacity, percent(total.Present, capacity)
	}
	return answer, nil
}

// inside is the visits whose people are inside at asOf, by space. Visits end with
// their day at the latest, so they are all of the day that holds asOf.
func (s *scope) inside(ctx context.Context) (map[*place][]*stay, error) {
	var days ownDays
	for _, p := range s.places {
		today := p.calendar.DayAt(s.asOf)
		days.add(p, today, today+1)
	}
	stays, err := s.stays(ctx, days)
	inside := map[*place][]*stay{}
	for i := range stays {
		v := &stays[i]
		v.present(window{s.asOf, s.asOf + 1}, func(window) { inside[v.place] = append(inside[v.place], v) })
	}
	return inside, err
}

// lastEvents is when each space was last heard of, by its number.
func (s *scope) lastEvents(ctx context.Context) (map[int32]int64, error) {
	rows, err := s.db.Query(ctx, lastEventsSQL, pgx.StrictNamedArgs{"spaces": s.ids()})
	if err != nil {
		return nil, pg.Classify(err)
	}
	heard := map[int32]int64{}
	var space int32
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&space, &at}, func() error {
		heard[space] = at.UnixMicro()
		return nil
	})
	return heard, pg.Classify(err)
}

// openTime is how long a space was open between two instants, in µs. A space that
// was silent for longer than a year need not be told by how much.
func (p *place) openTime(from, to int64) int64 {
	first, last := p.calendar.DayAt(from), p.calendar.DayAt(to)
	var open int64
	for d := max(first, last-366); d <= last; d++ {
		open += p.openOn(d, window{from, to})
	}
	return open
}

// openOn is how long a space is open on one of its days within a window, in µs.
func (p *place) openOn(d calendar.Date, within window) int64 {
	var open int64
	for _, hours := range p.calendar.Open(d) {
		open += window{hours.From.UnixMicro(), hours.To.UnixMicro()}.cut(within).length()
	}
	return open
}
