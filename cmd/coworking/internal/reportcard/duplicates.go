package reportcard

import "fmt"

// duplicates counts what was sent again. It does no harm, but says that answers get lost.
func duplicates(s Seen) Check {
	c := Check{Name: "resends", Verdict: NotSeen, Seen: "No event that can be read."}
	all := s.legible()
	if len(all) == 0 {
		return c
	}
	type words struct {
		identity

		content int64
	}
	said := map[words]bool{}
	again := 0
	for _, r := range all {
		key := words{r.identity(), r.Content}
		if said[key] {
			again++
		}
		said[key] = true
	}
	c.Verdict = Good
	c.Seen = fmt.Sprintf("%s of %s (%s) came again with the id it had; each counts once.", number(again), count(len(all), "event"), percent(again, len(all)))
	if again*5 > len(all) {
		c.Verdict = Look
		c.Do = "See whether the publisher hears the answers, and forgets an event once it is stored."
	}
	return c
}
