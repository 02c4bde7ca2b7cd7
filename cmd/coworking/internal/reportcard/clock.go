package reportcard

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"coworking/pkg/fault"
)

// What a clock may be off by before somebody should look. The future that is refused is
// event.CheckFuture's, the lateness that the system counts as late is a quarter of an hour.
const (
	fastClock = 30 * time.Second
	slowClock = time.Minute // behind even for the event that came quickest
	lateEvent = 15 * time.Minute
)

// clock checks that the publisher's clock agrees with the stream's.
func clock(s Seen) Check {
	var found []Check
	skews := bySource(s.Records)
	for _, source := range slices.Sorted(maps.Keys(skews)) {
		found = append(found, clockOf(source, skews[source]))
	}
	if len(found) > 1 {
		c := worst(found)
		c.Seen += fmt.Sprintf(" No other of %s is worse.", count(len(found), "source"))
		return c
	}
	if len(found) > 0 {
		return found[0]
	}
	c := Check{Name: "clock", Verdict: NotSeen, Seen: "When these were received, nobody knows: they were not in the stream."}
	future := 0
	for _, r := range s.Records {
		if fault.Code(r.Refused) == "future" {
			future++
		}
	}
	switch {
	case future > 0:
		c.Verdict = Bad
		c.Seen = fmt.Sprintf("%s of %s more than 5 minutes ahead of now.", number(future), count(len(s.Records), "event"))
		c.Do = remedies["future"]
	case len(s.Records) == 0:
		c.Seen = "No event with a time."
	}
	return c
}

// bySource is by how much the times of each source's events are ahead, in their order.
func bySource(records []Record) map[string][]time.Duration {
	of := map[string][]time.Duration{}
	for _, r := range records {
		if ahead, ok := r.ahead(); ok {
			of[r.Source] = append(of[r.Source], ahead)
		}
	}
	return of
}

// clockOf judges one source.
func clockOf(source string, skews []time.Duration) Check {
	sorted := slices.Sorted(slices.Values(skews))
	median, quickest := sorted[len(sorted)/2], sorted[len(sorted)-1]
	refused := 0
	for _, ahead := range skews {
		// As CheckFuture, whose refusals these are.
		if ahead > 5*time.Minute {
			refused++
		}
	}
	c := Check{
		Name: "clock", Verdict: Good,
		Seen: fmt.Sprintf("%q: %s, in the middle %s, from %s to %s.", source, count(len(skews), "event"), side(median), side(sorted[0]), side(quickest)),
	}
	switch {
	case refused > 0:
		c.Verdict = Bad
		c.Seen = fmt.Sprintf("%q: %s of %s more than 5 minutes ahead, in the middle %s.", source, number(refused), count(len(skews), "event"), side(median))
		c.Do = "Set the clock of the device (NTP): events from the future are refused."
	case median > fastClock:
		c.Verdict, c.Do = Look, "Set the clock of the device (NTP): past 5 minutes ahead its events are refused."
	case median < -lateEvent:
		c.Verdict, c.Do = Look, "Late events count where their time says: right for history or after an outage; if these were sent as they happened, set the clock."
	case quickest < -slowClock:
		c.Verdict, c.Do = Look, "Not even the quickest came within a minute: either the device keeps events back, or its clock is slow (NTP)."
	}
	return c
}

// worst is the first of the worst checks of several sources.
func worst(found []Check) Check {
	at := found[0]
	for _, c := range found[1:] {
		if c.Verdict != at.Verdict && worse(c.Verdict, at.Verdict) == c.Verdict {
			at = c
		}
	}
	return at
}
