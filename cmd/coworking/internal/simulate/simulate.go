// Package simulate makes up events that look like real life: members with habits,
// guests, forgotten check-outs, doors that were offline, public holidays and clock
// changes. The same seed gives the same events, byte for byte.
package simulate

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/event"
	"coworking/pkg/fault"
)

// Config is what to make up.
type Config struct {
	Seed    uint64
	Spaces  int       // 1 to 1,000
	Members int       // in all spaces together, 1 or more
	From    time.Time // the first instant
	To      time.Time // the instant after the last
}

// World is the spaces and the people that events are made up of.
type World struct {
	config  Config
	spaces  []*space
	members []*member
}

// New makes up a world. The error is fault.Invalid.
func New(c Config) (*World, error) {
	c.From, c.To = c.From.UTC(), c.To.UTC()
	switch {
	case c.Spaces < 1 || c.Spaces > 1000:
		return nil, fault.Invalid.Errorf("%d spaces: from 1 to 1,000 can be made up", c.Spaces)
	case c.Members < 1 || c.Members > 1_000_000:
		return nil, fault.Invalid.Errorf("%d members: from 1 to 1,000,000 can be made up", c.Members)
	case !c.From.Before(c.To):
		return nil, fault.Invalid.Errorf("from %s to %s is no span of time", c.From.Format(time.RFC3339), c.To.Format(time.RFC3339))
	case c.From.Year() < 1980 || c.To.Year() > 9000:
		return nil, fault.Invalid.Errorf("from %s to %s: people like these lived later than 1980", c.From.Format(time.RFC3339), c.To.Format(time.RFC3339))
	}
	w := &World{config: c}
	if err := w.furnish(); err != nil {
		return nil, err
	}
	w.populate()
	return w, nil
}

// Spaces is the names of the spaces.
func (w *World) Spaces() []string {
	var names []string
	for _, s := range w.spaces {
		names = append(names, s.name)
	}
	return names
}

// sending is an event on its way: when it happened is not when it is sent.
type sending struct {
	event event.Event
	at    time.Time
}

// History is every event of the span, in the order in which the stream would get
// them: what is known of the spaces and of the first members, then day after day,
// with events that come late or twice.
func (w *World) History() iter.Seq[event.Event] {
	return func(yield func(event.Event) bool) {
		for _, e := range w.opening() {
			if !yield(e) {
				return
			}
		}
		var waiting []sending
		for date := dateOf(w.config.From) - 1; date <= dateOf(w.config.To)+1; date++ {
			for _, s := range w.spaces {
				waiting = append(waiting, w.day(s, date)...)
			}
			// Nothing of the dates to come can be sent before this instant: there
			// is no zone that is further ahead.
			var due []sending
			due, waiting = w.due(waiting, date.Time().Add((24-15)*time.Hour))
			for _, d := range due {
				if !yield(d.event) {
					return
				}
			}
		}
		due, _ := w.due(waiting, w.config.To)
		for _, d := range due {
			if !yield(d.event) {
				return
			}
		}
	}
}

// due parts what is sent before an instant, in its order, from what is sent later.
// What does not lie in the span is left out.
func (w *World) due(waiting []sending, until time.Time) (due, later []sending) {
	for _, s := range waiting {
		switch {
		case s.event.Time.Before(w.config.From) || !s.at.Before(w.config.To) || !s.event.Time.Before(w.config.To):
		case s.at.Before(until):
			due = append(due, s)
		default:
			later = append(later, s)
		}
	}
	slices.SortStableFunc(due, func(a, b sending) int { return a.at.Compare(b.at) })
	return due, later
}

// opening is what is known before the first day: the spaces, and who is a member.
func (w *World) opening() []event.Event {
	var events []event.Event
	r := w.random("opening")
	for _, s := range w.spaces {
		events = append(events, s.settings(r, w.config))
	}
	members := slices.Clone(w.members)
	slices.SortStableFunc(members, func(a, b *member) int { return cmp.Compare(a.joined, b.joined) })
	for _, m := range members {
		if e := m.joins(r); e.Time.Before(w.config.From) {
			events = append(events, e)
		}
	}
	return events
}

// dateOf is the date of an instant by its own clock.
func dateOf(t time.Time) calendar.Date { return calendar.DateOf(t) }
