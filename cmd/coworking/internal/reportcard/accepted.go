package reportcard

import (
	"cmp"
	"fmt"
	"slices"

	"coworking/pkg/fault"
)

// Refused is what the events have in common that are refused for one reason, and one of
// them.
type Refused struct {
	Code    string `json:"code"` // as over HTTP, and as a dead letter's reason
	Count   int    `json:"count"`
	Place   string `json:"place"` // of the first one
	Pointer string `json:"pointer,omitempty"`
	Detail  string `json:"detail"`
}

// remedies is what helps against the refusals that publishers meet most.
var remedies = map[string]string{
	"future":        "Set the clock of the device (NTP), and see the zone below.",
	"invalid_time":  "Write the time as 2026-03-02T09:00:00+01:00 or …Z: the date, the time, and always the offset.",
	"invalid_id":    "Give each event an id and a source of 1 to 128 bytes, made once and kept with it.",
	"invalid_space": "Say in data.space where it was, in a-z, 0-9, _ and -, as the operator named it.",
	"unknown_field": "Mend the name of the field that the pointer shows, or leave it out.",
	"unknown_type":  "Set type to coworking.v1. and one of the kinds, such as coworking.v1.checkin.",
	"invalid_json":  "Send one whole JSON object an event; let a library write it.",
}

// accepted checks that the system takes what is sent.
func accepted(s Seen) Check {
	c := Check{Name: "events"}
	if len(s.Records) == 0 {
		c.Verdict, c.Seen, c.Do = NotSeen, "No events.", "Let something happen at the door, and look again with --watch."
		return c
	}
	of := map[string]*Refused{}
	refused, unsigned := 0, 0
	for _, r := range s.Records {
		if r.Refused == nil {
			continue
		}
		refused++
		if s.Source != "" && r.Source == "" {
			unsigned++
		}
		code := cmp.Or(fault.Code(r.Refused), fault.Of(r.Refused).String())
		if of[code] == nil {
			of[code] = &Refused{Code: code, Place: r.Place, Pointer: fault.Pointer(r.Refused), Detail: r.Refused.Error()}
		}
		of[code].Count++
	}
	if refused == 0 {
		c.Verdict, c.Seen = Good, fmt.Sprintf("%s, all of them taken.", count(len(s.Records), "event"))
		return c
	}
	for _, r := range of {
		c.Refused = append(c.Refused, *r)
	}
	slices.SortFunc(c.Refused, func(a, b Refused) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
	c.Verdict = Bad
	c.Seen = fmt.Sprintf("%s of %s refused.", number(refused), count(len(s.Records), "event"))
	c.Do = cmp.Or(remedies[c.Refused[0].Code], "Mend what the codes and pointers name, and send these again with the same ids.")
	if refused == unsigned {
		// They may be another's.
		c.Verdict = Look
		c.Seen = fmt.Sprintf("%s of %s refused, and nobody can read which source they are of.", number(refused), count(len(s.Records), "event"))
	}
	return c
}
