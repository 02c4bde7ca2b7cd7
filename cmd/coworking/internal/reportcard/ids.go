package reportcard

import (
	"fmt"
	"time"

	"coworking/pkg/event"
)

const (
	retryWithin = 10 * time.Minute // a second event that came so soon, and says the same, is a retry
	twiceWithin = time.Minute      // somebody who does the same again so soon may be one event, made twice
)

// ids checks that an event keeps the id it was given, and that an id is given once.
func ids(s Seen) Check {
	c := Check{Name: "ids"}
	all := s.legible()
	if len(all) == 0 {
		c.Verdict, c.Seen = NotSeen, "No event that can be read."
		return c
	}
	renamed, nameless, example := renamedEvents(all)
	conflicts, conflict := conflicts(all)
	again, doings := soonAgain(all)
	switch {
	case conflicts > 0:
		c.Verdict = Bad
		c.Seen = fmt.Sprintf("%s came with an id that said something else before, such as %q of %q (%s).", count(conflicts, "event"), conflict.ID, conflict.Source, conflict.Place)
		c.Do = "Never use an id twice, not after a restart either: a UUIDv7 or a ULID; only the first event counts, the others are buried as id_conflict."
	case renamed > 0:
		c.Verdict = Bad
		c.Seen = fmt.Sprintf("%s came again under a new id, such as %q of %q (%s).", count(renamed, "event"), example.ID, example.Source, example.Place)
		c.Do = "Make the id once, with the event, and send the same one at every retry: these count twice."
	case nameless > 0:
		c.Verdict = Look
		c.Seen = fmt.Sprintf("%s of nobody in particular came with the words and the time of another, under an id of its own.", count(nameless, "event"))
		c.Do = "If these are retries, send them with the id they had; if they are several people, give times in milliseconds, or party_size."
	case again*20 > doings:
		c.Verdict = Look
		c.Seen = fmt.Sprintf("%s of %s arrivals and departures came within a minute of the same by the same person, under another id.", number(again), number(doings))
		c.Do = "If people do not badge twice so often, these are retries with a new id and a new time: make both once, with the event."
	default:
		c.Verdict, c.Seen = Good, fmt.Sprintf("%s: none says two things, and no event has two.", count(distinct(all), "id"))
	}
	return c
}

// renamedEvents counts events that say what another one said shortly before, to the
// microsecond, under another id. For anonymous ones it may be so by chance.
func renamedEvents(all []Record) (renamed, nameless int, example Record) {
	type words struct {
		space, source string
		content       int64
	}
	said := map[words]Record{}
	named := map[identity]bool{}
	for _, r := range all {
		resend := named[r.identity()]
		named[r.identity()] = true
		if resend || r.Kind == event.Heartbeat {
			continue
		}
		key := words{r.Space, r.Source, r.Content}
		before, is := said[key]
		said[key] = r
		if !is || before.ID == r.ID || r.Received.Sub(before.Received) > retryWithin {
			continue
		}
		if r.Person == "" {
			nameless++
			continue
		}
		renamed++
		if example.ID == "" {
			example = r
		}
	}
	return renamed, nameless, example
}

// conflicts counts events whose id said something else before.
func conflicts(all []Record) (n int, example Record) {
	first := map[identity]int64{}
	for _, r := range all {
		content, is := first[r.identity()]
		if !is {
			first[r.identity()] = r.Content
			continue
		}
		if content != r.Content {
			n++
			if example.ID == "" {
				example = r
			}
		}
	}
	return n, example
}

// soonAgain counts arrivals and departures, and those of them that repeat one of the
// same person that was hardly over.
func soonAgain(all []Record) (again, doings int) {
	type words struct {
		space, source string
		telling       int64
	}
	last := map[words]Record{}
	for _, r := range all {
		if r.Person == "" || !arrives(r.Kind) && r.Kind != event.CheckOut {
			continue
		}
		doings++
		key := words{r.Space, r.Source, r.Telling}
		before, is := last[key]
		last[key] = r
		if is && before.ID != r.ID && !r.Time.Equal(before.Time) && r.Time.Sub(before.Time).Abs() <= twiceWithin {
			again++
		}
	}
	return again, doings
}

func distinct(all []Record) int {
	different := map[identity]bool{}
	for _, r := range all {
		different[r.identity()] = true
	}
	return len(different)
}

// arrives says whether a kind is an arrival.
func arrives(kind event.Kind) bool { return kind == event.CheckIn || kind == event.TokenUsed }
