// Package slots is what happened in a space on one visit day, counted in slots
// of 15 minutes. It owns the bytes that `space_day.slots` keeps.
//
// Slot 0 begins where the visit day begins, so a day has 96 of them, 92 or 100
// where clocks change, and some 200 where a space moves to another zone.
//
// Counters never go below zero. Taking away what was never added is our own
// mistake, wherever it comes from: it is refused with fault.Internal, and the
// day stays as it was.
package slots

import (
	"time"

	"coworking/pkg/fault"
)

// Length is how long a slot is.
const Length = 15 * time.Minute

const length = int64(Length / time.Microsecond)

// Max is the most slots a day has: a day of 24 hours, stretched by a move across
// the date line and by a later day_start, with room to spare.
const Max = 512

// Day is the counters of one visit day. Each series has a counter per slot; what
// lies behind a series' last counter is zero.
type Day struct {
	Checkins            []int64 // check-ins, also by token
	Failed              []int64 // refusals at the door
	Arrivals            []int64 // visits that began
	Anonymous           []int64 // of these, without a member
	DeparturesExplicit  []int64 // visits that ended with a check-out
	DeparturesEstimated []int64 // visits whose end was inferred
	Presence            []int64 // headcount × microseconds
}

// series is a day's counters in the order in which they are packed.
func (d *Day) series() [7]*[]int64 {
	return [...]*[]int64{
		&d.Checkins, &d.Failed, &d.Arrivals, &d.Anonymous,
		&d.DeparturesExplicit, &d.DeparturesEstimated, &d.Presence,
	}
}

// Counts is a day's counters of one slot, or of several together.
type Counts struct {
	Checkins            int64
	Failed              int64
	Arrivals            int64
	Anonymous           int64
	DeparturesExplicit  int64
	DeparturesEstimated int64
	Presence            int64 // headcount × microseconds
}

// Len is the number of slots up to the last one that holds anything.
func (d *Day) Len() int {
	n := 0
	for _, s := range d.series() {
		n = max(n, len(trimmed(*s)))
	}
	return n
}

// Sum is the counters of the slots [from, to) together. Slots that a day does
// not have count as empty.
func (d *Day) Sum(from, to int) Counts {
	return Counts{
		Checkins:            sum(d.Checkins, from, to),
		Failed:              sum(d.Failed, from, to),
		Arrivals:            sum(d.Arrivals, from, to),
		Anonymous:           sum(d.Anonymous, from, to),
		DeparturesExplicit:  sum(d.DeparturesExplicit, from, to),
		DeparturesEstimated: sum(d.DeparturesEstimated, from, to),
		Presence:            sum(d.Presence, from, to),
	}
}

func sum(series []int64, from, to int) int64 {
	var total int64
	for slot := max(from, 0); slot < min(to, len(series)); slot++ {
		total += series[slot]
	}
	return total
}

// Add counts what happened in another day's slots, too, slot by slot.
func (d *Day) Add(other Day) {
	_ = d.eachIn(other, add)
}

// Sub takes away what Add counted.
func (d *Day) Sub(other Day) error {
	if err := d.eachIn(other, covers); err != nil {
		return err
	}
	return d.eachIn(other, sub)
}

// eachIn hands over the counters of another day, each with ours.
func (d *Day) eachIn(other Day, count func(series *[]int64, slot int, n int64) error) error {
	theirs := other.series()
	for i, ours := range d.series() {
		for slot, n := range *theirs[i] {
			if err := count(ours, slot, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// add counts n in a slot; it never fails.
func add(series *[]int64, slot int, n int64) error {
	if n == 0 {
		return nil
	}
	if missing := slot + 1 - len(*series); missing > 0 {
		*series = append(*series, make([]int64, missing)...)
	}
	(*series)[slot] += n
	return nil
}

// covers is an error if a slot holds less than n.
func covers(series *[]int64, slot int, n int64) error {
	var have int64
	if slot < len(*series) {
		have = (*series)[slot]
	}
	if n > have {
		return fault.Internal.Errorf("slot %d: taking away %d of %d", slot, n, have)
	}
	return nil
}

// sub takes n away from a slot that covers it.
func sub(series *[]int64, slot int, n int64) error { return add(series, slot, -n) }

// take takes one away from a slot.
func take(series *[]int64, slot int) error {
	if err := covers(series, slot, 1); err != nil {
		return err
	}
	return sub(series, slot, 1)
}

// trimmed is a series without the zeros at its end.
func trimmed(series []int64) []int64 {
	n := len(series)
	for n > 0 && series[n-1] == 0 {
		n--
	}
	return series[:n]
}
