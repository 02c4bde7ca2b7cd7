package visit

import (
	"bytes"
	"cmp"
	"slices"
)

// Key identifies an event: 128 bits that depend on its space, source and id
// alone, so that events of the same instant have the same order everywhere.
type Key = [16]byte

// Kind is what an event means for a visit.
type Kind uint8

// The kinds: somebody arrives (by check-in or by token), is still here, leaves.
const (
	Arrival Kind = iota
	Touch
	Departure
)

// Event is what the fold needs to know of an event. Method, Zone, Plan and Team
// are numbers of names, 0 where none was said; they and Party are never below zero.
type Event struct {
	Key    Key
	Time   int64 // microseconds since 1970 UTC
	Kind   Kind
	Party  int32 // how many people came; of arrivals
	Method int32
	Zone   int32
	Plan   int32
	Team   int32
}

// compare orders events by time, then by key.
func compare(a, b Event) int {
	if order := cmp.Compare(a.Time, b.Time); order != 0 {
		return order
	}
	return bytes.Compare(a.Key[:], b.Key[:])
}

// Sort puts events in the order in which Fold reads them.
func Sort(events []Event) { slices.SortFunc(events, compare) }

// Insert adds fresh events to sorted ones; the result is sorted. It may reuse
// the memory of events. A key that is there already is the caller's mistake.
func Insert(events []Event, fresh ...Event) []Event {
	for _, event := range fresh {
		at, _ := slices.BinarySearchFunc(events, event, compare)
		events = slices.Insert(events, at, event)
	}
	return events
}

// Remove takes the event with a key out of sorted ones, in place. Where there is
// none, nothing changes.
func Remove(events []Event, key Key) []Event {
	return slices.DeleteFunc(events, func(e Event) bool { return e.Key == key })
}
