package report

import (
	"context"
	"slices"
	"time"

	"coworking/pkg/calendar"
)

// Meta is what an answer says of itself: what was asked, and how far it reaches.
type Meta struct {
	Report     string  `json:"report"`
	Definition string  `json:"definition"`
	Schema     int     `json:"schema"`
	TZ         string  `json:"tz"` // "per-space": several spaces, each on its own dates
	From       string  `json:"from"`
	To         string  `json:"to"` // not included
	Interval   string  `json:"interval"`
	GroupBy    *string `json:"group_by"`
	Filters    Filters `json:"filters"`

	AsOf            time.Time  `json:"as_of"`
	CompleteThrough *time.Time `json:"complete_through"` // all that the stream had stored by then is in the numbers
	PartialLast     bool       `json:"partial_last"`     // the last row is still running
	Refiling        bool       `json:"refiling"`         // settings changed; some days are still as before
	LateEvents      int64      `json:"late_events"`
	EstimatedShare  *Mean      `json:"estimated_share"` // of the visits that have ended; null where no end is used
	NextCursor      *string    `json:"next_cursor"`
}

// Filters is what the answer was narrowed down to: the values of each parameter
// that names what is counted, by its name.
type Filters map[string][]string

// schema is the version of what answers look like. It moves when a column changes
// its name or its meaning.
const schema = 1

// ends counts visits that have ended, and how many of those ends were inferred.
type ends struct{ estimated, all int64 }

// count counts a visit whose end has come.
func (e *ends) count(v *stay, asOf int64) {
	if v.out > asOf {
		return
	}
	e.all++
	if !v.explicit {
		e.estimated++
	}
}

// ends counts the visits that began in the range: of days that are over their sums tell.
func (s *scope) ends(ctx context.Context) (ends, error) {
	var e ends
	settled, others := s.settled()
	recalled, err := s.recall(ctx, settled...)
	if err != nil {
		return e, err
	}
	for _, d := range slices.Concat(recalled...) {
		e.all += d.sums.visits
		e.estimated += d.sums.estimated
	}
	for v, err := range s.walk(ctx, others) {
		if err != nil {
			return e, err
		}
		if s.instants(v.place).holds(v.in) {
			e.count(v, s.asOf)
		}
	}
	return e, nil
}

// meta is what the answer to the question says of itself.
func (s *scope) meta(ctx context.Context, report, interval string, partialLast bool, e ends) (Meta, error) {
	m := Meta{
		Report:         report,
		Definition:     "/docs/reports/" + report,
		Schema:         schema,
		TZ:             s.zoneName(),
		From:           bound(s.asked.From, s.from),
		To:             bound(s.asked.To, s.to),
		Interval:       interval,
		Filters:        s.filters(),
		AsOf:           time.UnixMicro(s.asOf).UTC(),
		PartialLast:    partialLast,
		EstimatedShare: mean(e.estimated, e.all),

		CompleteThrough: s.completeThrough,
		Refiling:        s.refiling,
	}
	if s.by != "" {
		m.GroupBy = &s.by
	}
	var err error
	m.LateEvents, err = s.lateEvents(ctx)
	return m, err
}

// lateEvents is how many events of the range came late: of whole visit days that is
// known; of the others, what lies within the range is counted.
func (s *scope) lateEvents(ctx context.Context) (int64, error) {
	var cut stretches
	asked := s.rangeOf(s.places)
	for i := range asked {
		a := &asked[i]
		within := s.instants(a.place)
		for _, d := range []calendar.Date{a.first, a.stop - 1} {
			start, end := a.place.calendar.Span(d)
			if day := (window{start, end}); a.first < a.stop && day.cut(within) != day {
				cut.add(a.place, day.cut(within))
				if d == a.first {
					a.first++
				} else {
					a.stop--
				}
			}
		}
		a.stop = max(a.first, a.stop)
	}
	recalled, err := s.recall(ctx, asked...)
	if err != nil {
		return 0, err
	}
	var late int64
	for _, days := range recalled {
		for _, d := range days {
			late += d.sums.late
		}
	}
	events, err := s.edges(ctx, cut)
	for _, e := range events {
		late += e.late
	}
	return late, err
}

// filters is the parameters that were given of those that name what is counted.
func (s *scope) filters() Filters {
	f := Filters{}
	for _, name := range []string{"space", "plan", "team", "zone", "method", "source", "member"} {
		if values := s.question.Query[name]; len(values) > 0 {
			f[name] = values
		}
	}
	return f
}

// zoneName is whose dates the answer's are.
func (s *scope) zoneName() string {
	switch {
	case s.asked.TZ != nil:
		return s.asked.TZ.Location.String()
	case len(s.places) == 0:
		return time.UTC.String()
	case len(s.places) == 1:
		return s.places[0].calendar.On(s.to - 1).Zone.String()
	default:
		return "per-space"
	}
}

// bound is an end of the range as it was asked for, or as it was worked out.
func bound(asked *Bound, date calendar.Date) string {
	if asked != nil && !asked.Instant.IsZero() {
		return asked.Instant.Format(time.RFC3339Nano)
	}
	return date.String()
}
