// Package reportcard judges a publisher by its events: whether they are taken, whether
// their ids and times hold, and what the system can make of them.
package reportcard

import (
	"cmp"
	"slices"

	"coworking/pkg/calendar"
)

// Verdict is how a check came out.
type Verdict string

// The verdicts, from the least to the worst.
const (
	NotSeen Verdict = "not seen" // there was nothing that it could be judged by
	Good    Verdict = "good"
	Look    Verdict = "look" // it may be meant so; somebody should look
	Bad     Verdict = "bad"  // events are lost, or count wrongly
)

// Card is what there is to say about a publisher.
type Card struct {
	Space   string  `json:"space,omitempty"`  // "": of a file
	Source  string  `json:"source,omitempty"` // "": all of them
	Verdict Verdict `json:"verdict"`          // the worst of all
	Events  int     `json:"events"`
	Sources []Voice `json:"sources"` // whose events these are, the most talkative first
	Checks  []Check `json:"checks"`
}

// Voice is a source, and how many of the events are its.
type Voice struct {
	Source string `json:"source"`
	Events int    `json:"events"`
}

// Check is one thing that was looked at.
type Check struct {
	Name    string    `json:"name"`
	Verdict Verdict   `json:"verdict"`
	Seen    string    `json:"seen"`              // one sentence, with figures
	Do      string    `json:"do,omitempty"`      // one sentence; "" if there is nothing to do
	Refused []Refused `json:"refused,omitempty"` // the most frequent first
}

// Seen is what a publisher is judged by.
type Seen struct {
	Space   string // that was asked for, "" if all
	Source  string // likewise
	Records []Record
	Spaces  map[string]*calendar.Calendar // what was said of spaces; nil: nobody could be asked
}

// checks is every check, in the order of the card.
var checks = []func(Seen) Check{accepted, ids, clock, zone, duplicates, checkOuts, spaces}

// Judge makes the card. It asks nobody, and no clock: the same events, the same card.
func Judge(s Seen) Card {
	card := Card{Space: s.Space, Source: s.Source, Verdict: NotSeen, Events: len(s.Records), Sources: voices(s.Records)}
	for _, check := range checks {
		c := check(s)
		card.Checks = append(card.Checks, c)
		card.Verdict = worse(card.Verdict, c.Verdict)
	}
	return card
}

// voices is every source that can be read.
func voices(records []Record) []Voice {
	events := map[string]int{}
	for _, r := range records {
		if r.Source != "" {
			events[r.Source]++
		}
	}
	all := []Voice{}
	for source, n := range events {
		all = append(all, Voice{source, n})
	}
	slices.SortFunc(all, func(a, b Voice) int { return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.Source, b.Source)) })
	return all
}

// Count is how many checks came out so.
func (c Card) Count(v Verdict) int {
	n := 0
	for _, check := range c.Checks {
		if check.Verdict == v {
			n++
		}
	}
	return n
}

func worse(a, b Verdict) Verdict {
	for _, v := range []Verdict{Bad, Look, Good} {
		if a == v || b == v {
			return v
		}
	}
	return NotSeen
}

// legible is the events that can be read, be they taken or too early.
func (s Seen) legible() []Record {
	var all []Record
	for _, r := range s.Records {
		if r.legible() {
			all = append(all, r)
		}
	}
	return all
}
