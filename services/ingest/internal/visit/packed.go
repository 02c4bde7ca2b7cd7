package visit

import (
	"encoding/binary"
	"math"

	"coworking/pkg/fault"
)

// The packed form of a unit's events, version 1, some 20–28 bytes an event. It
// is what `member_day.state` keeps:
//
//	events = nothing, if there are none
//	       | version time event…
//	event  = what since key [party] [method] [zone] [plan] [team]
//
// version is the byte 1. time is the first event's, a varint, zigzag. what is a
// byte: the kind in its two lowest bits, then a bit for each field in brackets
// that is there. since is the microseconds since the event before. key is 16
// bytes. The fields are varints; one is there only if it is not what its absence
// means: a party of 1 for an arrival and of 0 for others, and 0 for the rest.
// Varints are those of encoding/binary, in as few bytes as will do, and events
// are in order, so that a unit has one packed form only.
const version = 1

// shortest is the fewest bytes an event takes: what, since and key.
const shortest = 1 + 1 + len(Key{})

// The bits of what.
const (
	kindBits  = 0b11
	hasParty  = 1 << 2
	hasMethod = 1 << 3
	hasZone   = 1 << 4
	hasPlan   = 1 << 5
	hasTeam   = 1 << 6
	unusedBit = 1 << 7
)

// usualParty is the party of an event that does not say.
func (k Kind) usualParty() int32 {
	if k == Arrival {
		return 1
	}
	return 0
}

// Append packs events, sorted as Sort does, behind dst.
func Append(dst []byte, events []Event) []byte {
	if len(events) == 0 {
		return dst
	}
	dst = append(dst, version)
	dst = binary.AppendVarint(dst, events[0].Time)
	before := events[0].Time
	for i := range events {
		dst = appendEvent(dst, &events[i], before)
		before = events[i].Time
	}
	return dst
}

func appendEvent(dst []byte, e *Event, before int64) []byte {
	what := byte(e.Kind)
	at := len(dst)
	dst = append(dst, what)
	dst = binary.AppendUvarint(dst, uint64(e.Time-before))
	dst = append(dst, e.Key[:]...)
	field := func(bit byte, value, usual int32) {
		if value != usual {
			what |= bit
			dst = binary.AppendUvarint(dst, uint64(value))
		}
	}
	field(hasParty, e.Party, e.Kind.usualParty())
	field(hasMethod, e.Method, 0)
	field(hasZone, e.Zone, 0)
	field(hasPlan, e.Plan, 0)
	field(hasTeam, e.Team, 0)
	dst[at] = what
	return dst
}

// Decode reads what Append wrote, to the last byte. Anything else is
// fault.Internal: nobody but us writes these bytes.
func Decode(packed []byte) ([]Event, error) {
	if len(packed) == 0 {
		return nil, nil
	}
	if packed[0] != version {
		return nil, fault.Internal.Errorf("packed events: version %d, not %d", packed[0], version)
	}
	r := reader{rest: packed[1:]}
	first := r.varint()
	events := append(make([]Event, 0, len(packed)/shortest+1), r.event(first))
	if r.bad == "" && events[0].Time != first {
		r.bad = "a first event that is not the first"
	}
	for r.bad == "" && len(r.rest) > 0 {
		before := events[len(events)-1]
		event := r.event(before.Time)
		if r.bad == "" && compare(before, event) >= 0 {
			r.bad = "events out of order"
		}
		events = append(events, event)
	}
	if r.bad != "" {
		return nil, fault.Internal.Errorf("packed events: %s, %d bytes before the end", r.bad, len(r.rest))
	}
	return events, nil
}

// reader takes packed bytes apart. Once something is bad, what it reads means
// nothing.
type reader struct {
	rest []byte
	bad  string
}

func (r *reader) event(before int64) Event {
	what := r.bytes(1)[0]
	since := int64(r.uvarint(math.MaxInt64))
	e := Event{Kind: Kind(what & kindBits), Time: before + since, Key: Key(r.bytes(len(Key{})))}
	if e.Kind > Departure || what&unusedBit != 0 || e.Time < before {
		r.bad = "no such event"
	}
	field := func(bit byte, usual int32) int32 {
		if what&bit == 0 {
			return usual
		}
		value := int32(r.uvarint(math.MaxInt32))
		if value == usual {
			r.bad = "a field that says what its absence means"
		}
		return value
	}
	e.Party = field(hasParty, e.Kind.usualParty())
	e.Method = field(hasMethod, 0)
	e.Zone = field(hasZone, 0)
	e.Plan = field(hasPlan, 0)
	e.Team = field(hasTeam, 0)
	return e
}

// nothing is what is read where the bytes end too early.
var nothing Key

func (r *reader) bytes(n int) []byte {
	if len(r.rest) < n {
		r.bad = "cut short"
		return nothing[:n]
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) varint() int64 {
	zigzag := r.uvarint(math.MaxUint64)
	return int64(zigzag>>1) ^ -int64(zigzag&1)
}

func (r *reader) uvarint(most uint64) uint64 {
	n, width := binary.Uvarint(r.rest)
	switch {
	case width == 0:
		r.bad = "cut short"
		return 0
	case width < 0:
		r.bad = "a number that is too large"
		return 0
	case width > 1 && r.rest[width-1] == 0:
		r.bad = "a number in more bytes than it needs"
	case n > most:
		r.bad = "a number that is too large"
	}
	r.rest = r.rest[width:]
	return n
}
