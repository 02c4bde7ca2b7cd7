package reportcard

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"coworking/pkg/calendar"
)

const (
	zoneStep   = 15 * time.Minute // every zone's offset is a multiple of it
	leastShift = 30 * time.Minute
	mostShift  = 14 * time.Hour // no zone is further from UTC
	shiftSlack = 2 * time.Minute
	enough     = 3 // events that are shifted alike; fewer may be so by chance
)

// zone checks that times are written in the zone that they are of: a clock that is off
// by whole hours is right, and its offset is wrong.
func zone(s Seen) Check {
	var found []Check
	skews := bySource(s.Records)
	for _, source := range slices.Sorted(maps.Keys(skews)) {
		found = append(found, zoneOf(source, skews[source], s.offsetOf(source)))
	}
	found = append(found, s.writtenOffsets())
	return worst(found)
}

// zoneOf judges one source, whose spaces have that offset from UTC if it is known. What
// is later than a zone could make it is history, and says nothing.
func zoneOf(source string, skews []time.Duration, local *time.Duration) Check {
	skews = slices.DeleteFunc(skews, func(ahead time.Duration) bool { return ahead.Abs() > mostShift+shiftSlack })
	shift, alike := commonShift(skews)
	c := Check{Name: "zone", Verdict: Good, Seen: fmt.Sprintf("%q: %s of %s, within 2 minutes of when they came.", source, number(alike), count(len(skews), "event"))}
	switch {
	case shift == 0 && alike > 0 && alike*2 >= len(skews):
		return c
	case alike*5 < len(skews)*4 || shift.Abs() < leastShift:
		c.Verdict = NotSeen
		c.Seen = fmt.Sprintf("%q: events came so much later than they happened that nobody can tell.", source)
		c.Do = "Let something happen now, send it at once, and look again with --watch."
		return c
	}
	c.Verdict = Bad
	c.Seen = fmt.Sprintf("%q: %s of %s, %s, to within 2 minutes.", source, number(alike), count(len(skews), "event"), side(shift))
	c.Do = "Check the zone of the device, and whether it knows of daylight saving; send times in UTC with Z, or with the offset that holds."
	if local != nil && *local == shift {
		c.Seen = fmt.Sprintf("%q: %s of %s, %s, which is the space's own offset from UTC.", source, number(alike), count(len(skews), "event"), side(shift))
		c.Do = "Local time is sent as if it were UTC: send its offset with it, as in 2026-03-02T09:00:00+01:00, or convert it before you write Z."
	}
	if alike < enough {
		c.Verdict = Look
	}
	return c
}

// commonShift is the multiple of a quarter of an hour that most events are ahead by, and
// how many these are.
func commonShift(skews []time.Duration) (shift time.Duration, alike int) {
	counts := map[time.Duration]int{}
	for _, ahead := range skews {
		if near := ahead.Round(zoneStep); (ahead - near).Abs() <= shiftSlack {
			counts[near]++
		}
	}
	// Of two that are as frequent, that nearer to none.
	for _, at := range slices.SortedFunc(maps.Keys(counts), func(a, b time.Duration) int {
		return cmp.Or(cmp.Compare(a.Abs(), b.Abs()), cmp.Compare(a, b))
	}) {
		if counts[at] > alike {
			shift, alike = at, counts[at]
		}
	}
	return shift, alike
}

// offsetOf is how far the space of the source's last event was from UTC then, nil if
// nobody knows.
func (s Seen) offsetOf(source string) *time.Duration {
	for _, r := range slices.Backward(s.Records) {
		if _, timed := r.ahead(); r.Source == source && timed {
			return s.localOffset(r)
		}
	}
	return nil
}

// localOffset is how far an event's space is from UTC at its time, nil if nobody said.
func (s Seen) localOffset(r Record) *time.Duration {
	said := s.Spaces[r.Space]
	if said == nil {
		return nil
	}
	at := settingsAt(said, r.Time)
	if !at.Configured {
		return nil
	}
	_, seconds := r.Time.In(at.Zone).Zone()
	d := time.Duration(seconds) * time.Second
	return &d
}

func settingsAt(c *calendar.Calendar, t time.Time) calendar.Settings { return c.On(c.Day(t)) }

// writtenOffsets compares the offsets that events are written with to those that hold in
// their space. UTC is right everywhere.
func (s Seen) writtenOffsets() Check {
	c := Check{Name: "zone", Verdict: NotSeen, Seen: "No event that was in the stream, and none with an offset of a space whose zone is known."}
	written, differ := 0, 0
	var example Record
	for _, r := range s.legible() {
		local := s.localOffset(r)
		if local == nil || r.Offset == nil || *r.Offset == 0 {
			continue
		}
		written++
		if *r.Offset != *local {
			differ++
			example = r
		}
	}
	switch {
	case differ > 0:
		zone := settingsAt(s.Spaces[example.Space], example.Time).Zone
		c.Verdict = Look
		c.Seen = fmt.Sprintf("%s of %s with an offset, written with another than %s has then, such as %s (%s).", number(differ), count(written, "event"), zone,
			example.Time.In(time.FixedZone("", int(example.Offset.Seconds()))).Format(time.RFC3339), example.Place)
		c.Do = "That is right if it is the same instant; if the device forgets about daylight saving or stands elsewhere, set its zone."
	case written > 0:
		c.Verdict = Good
		c.Seen = fmt.Sprintf("%s written with the offset that holds in the space.", count(written, "event"))
	}
	return c
}
