package slots

// Span is a visit day, [Start, End), in microseconds since 1970 UTC, both
// multiples of 15 minutes.
type Span struct {
	Start, End int64
}

// Slot is the slot of an instant. The day's end itself, where visits are cut
// off, belongs to the last slot.
func (s Span) Slot(at int64) int {
	return int((min(max(at, s.Start), s.End-1) - s.Start) / length)
}

// Len is the number of slots of the day.
func (s Span) Len() int { return int((s.End - s.Start) / length) }

// Visit is what the slots count of one visit. Times are microseconds since 1970
// UTC and lie within the day.
type Visit struct {
	In, Out   int64
	Away      []Away // in order, apart from each other, within the visit
	Party     int64  // how many people came; the event contract's 10,000 at most keep sums far from overflow
	Explicit  bool   // Out was measured by a check-out
	Anonymous bool
}

// Away is [From, To), in which the visitor was outside.
type Away struct {
	From, To int64
}

// AddVisit counts a visit: one arrival where it begins, one departure where it
// ends, however many came, and in between the presence of each of them.
func (d *Day) AddVisit(day Span, v Visit) {
	_ = d.eachOf(day, v, add)
}

// SubVisit takes away what AddVisit counted.
func (d *Day) SubVisit(day Span, v Visit) error {
	if err := d.eachOf(day, v, covers); err != nil {
		return err
	}
	return d.eachOf(day, v, sub)
}

// eachOf hands over what a visit counts for, each counter once.
func (d *Day) eachOf(day Span, v Visit, count func(series *[]int64, slot int, n int64) error) error {
	arrival, departure := day.Slot(v.In), day.Slot(v.Out)
	if err := count(&d.Arrivals, arrival, 1); err != nil {
		return err
	}
	if v.Anonymous {
		if err := count(&d.Anonymous, arrival, 1); err != nil {
			return err
		}
	}
	departures := &d.DeparturesEstimated
	if v.Explicit {
		departures = &d.DeparturesExplicit
	}
	if err := count(departures, departure, 1); err != nil {
		return err
	}
	for slot := arrival; slot <= departure; slot++ {
		from := day.Start + int64(slot)*length
		if err := count(&d.Presence, slot, v.Party*v.present(from, from+length)); err != nil {
			return err
		}
	}
	return nil
}

// present is how much of [from, to) the visitor was inside for.
func (v Visit) present(from, to int64) int64 {
	inside := overlap(v.In, v.Out, from, to)
	for _, away := range v.Away {
		inside -= overlap(away.From, away.To, from, to)
	}
	return inside
}

// overlap is how long [a, b) and [c, d) have in common.
func overlap(a, b, c, d int64) int64 {
	return max(0, min(b, d)-max(a, c))
}

// AddCheckin counts a check-in.
func (d *Day) AddCheckin(day Span, at int64) { _ = add(&d.Checkins, day.Slot(at), 1) }

// SubCheckin takes away what AddCheckin counted.
func (d *Day) SubCheckin(day Span, at int64) error { return take(&d.Checkins, day.Slot(at)) }

// AddFailed counts a refusal at the door.
func (d *Day) AddFailed(day Span, at int64) { _ = add(&d.Failed, day.Slot(at), 1) }

// SubFailed takes away what AddFailed counted.
func (d *Day) SubFailed(day Span, at int64) error { return take(&d.Failed, day.Slot(at)) }
