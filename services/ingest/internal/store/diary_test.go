package store_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"coworking/pkg/event"
)

// diary is the oracle's calendar of one space. Dates are texts, 2026-03-29, and a
// wall clock is a text too, 2026-03-29 05:00: texts compare as the times they tell.
type diary struct {
	words  []*word // in the order they were said
	zones  map[string]*time.Location
	starts map[string]time.Time // what start found
}

// word is what one event says of the space, from a date on.
type word struct {
	event *told
	said  event.Settings
	from  string
}

const (
	dateLayout = time.DateOnly
	wallLayout = "2006-01-02 15:04"
)

func newDiary(t *testing.T, events []*told, space string) *diary {
	t.Helper()
	d := &diary{zones: map[string]*time.Location{"UTC": time.UTC}, starts: map[string]time.Time{}}
	for _, e := range events {
		if e.Space == space && e.Kind == event.SpaceUpserted && !e.voided {
			d.words = append(d.words, &word{event: e, said: *e.Data.Settings})
		}
	}
	slices.SortFunc(d.words, func(a, b *word) int {
		return cmp.Or(a.event.Time.Compare(b.event.Time), strings.Compare(a.event.Source, b.event.Source),
			strings.Compare(a.event.ID, b.event.ID))
	})
	known := "UTC"
	for _, w := range d.words {
		if name := w.said.TimeZone; name != nil {
			zone, err := time.LoadLocation(*name)
			if err != nil {
				t.Fatal(err)
			}
			known, d.zones[*name] = *name, zone
		}
		w.from = w.event.Time.In(d.zones[known]).Format(dateLayout)
		if w.said.EffectiveFrom != nil {
			w.from = *w.said.EffectiveFrom
		}
	}
	return d
}

// setting is what a field says on a date: the word with the latest date by then,
// of several the last one said; before any, the earliest.
func (d *diary) setting(date string, field func(event.Settings) *string, otherwise string) string {
	var holds, earliest *word
	for _, w := range d.words {
		if field(w.said) == nil {
			continue
		}
		if w.from <= date && (holds == nil || w.from >= holds.from) {
			holds = w
		}
		if earliest == nil || w.from <= earliest.from {
			earliest = w
		}
	}
	switch {
	case holds != nil:
		return *field(holds.said)
	case earliest != nil:
		return *field(earliest.said)
	}
	return otherwise
}

// stay is the default stay on a date.
func (d *diary) stay(date string) time.Duration {
	stay, err := time.ParseDuration(d.setting(date, func(s event.Settings) *string { return s.DefaultStay }, "4h"))
	if err != nil {
		panic(err)
	}
	return stay
}

// start is the first instant of a date's visit day, unless newer settings begin
// even before: then the day is cut there.
func (d *diary) start(date string) time.Time {
	if known, ok := d.starts[date]; ok {
		return known
	}
	start := d.opens(date, date)
	for _, w := range d.words {
		if w.from > date {
			if cut := d.opens(w.from, w.from); cut.Before(start) {
				start = cut
			}
		}
	}
	d.starts[date] = start
	return start
}

// opens is the first quarter of an hour at which the wall clock of the settings of
// one date shows another date's day_start, or later.
func (d *diary) opens(date, settings string) time.Time {
	zone := d.zones[d.setting(settings, func(s event.Settings) *string { return s.TimeZone }, "UTC")]
	wanted := date + " " + d.setting(settings, func(s event.Settings) *string { return s.DayStart }, "00:00")
	midnight, err := time.Parse(dateLayout, date)
	if err != nil {
		panic(err)
	}
	for t := midnight.Add(-24 * time.Hour); ; t = t.Add(15 * time.Minute) {
		if t.In(zone).Format(wallLayout) >= wanted {
			return t
		}
	}
}

// dayOf is the date whose visit day holds an instant.
func (d *diary) dayOf(t time.Time) string {
	for date := t.Add(-72 * time.Hour).Format(dateLayout); ; date = nextDay(date) {
		if !d.start(date).After(t) && d.start(nextDay(date)).After(t) {
			return date
		}
	}
}

func nextDay(date string) string {
	t, err := time.Parse(dateLayout, date)
	if err != nil {
		panic(err)
	}
	return t.AddDate(0, 0, 1).Format(dateLayout)
}
