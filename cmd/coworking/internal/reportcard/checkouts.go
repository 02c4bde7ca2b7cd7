package reportcard

import (
	"fmt"
	"slices"
	"time"

	"coworking/pkg/event"
)

// longestStay is how long after an arrival a check-out can still be its.
const longestStay = 24 * time.Hour

// checkOuts sees whether people are seen to leave.
func checkOuts(s Seen) Check {
	c := Check{Name: "check-outs", Verdict: NotSeen, Seen: "No check-ins."}
	arrivals, left := departures(s.legible())
	if arrivals == 0 {
		return c
	}
	c.Verdict = Good
	c.Seen = fmt.Sprintf("%s, %s of them (%s) with a check-out.", count(arrivals, "check-in"), number(left), percent(left, arrivals))
	switch {
	case left == 0:
		c.Verdict = Look
		c.Seen = fmt.Sprintf("%s, and no check-out of any: stays will be estimated.", count(arrivals, "check-in"))
		c.Do = "If the door can tell who leaves, send coworking.v1.checkout with the same subject; else set the space's --default-stay to what is usual."
	case left*2 < arrivals:
		c.Verdict = Look
		c.Do = "Stays without a check-out are estimated: see whether every way out reports, with the same subject as the way in."
	}
	if c.Do != "" && s.Source != "" {
		c.Do += " What another source reports is not counted here: leave the source out to see it."
	}
	return c
}

// departures counts check-ins, and those that a check-out follows. A person leaves from
// all arrivals of a day at once; of nobody in particular, one leaves at a time.
func departures(all []Record) (arrivals, left int) {
	type person struct{ space, name string }
	inside := map[person][]time.Time{}
	counted := map[identity]bool{}
	for _, r := range slices.SortedStableFunc(slices.Values(all), func(a, b Record) int { return a.Time.Compare(b.Time) }) {
		if counted[r.identity()] {
			continue
		}
		counted[r.identity()] = true
		who := person{r.Space, r.Person}
		switch {
		case arrives(r.Kind):
			arrivals++
			inside[who] = append(inside[who], r.Time)
		case r.Kind == event.CheckOut:
			here := slices.DeleteFunc(inside[who], func(since time.Time) bool { return r.Time.Sub(since) > longestStay })
			out := len(here)
			if r.Person == "" {
				out = min(1, out)
			}
			left += out
			inside[who] = here[out:]
		}
	}
	return arrivals, left
}
