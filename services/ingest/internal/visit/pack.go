package visit

import (
	"encoding/binary"

	"coworking/pkg/fault"
)

// A unit's events as bytes: what member_day.state holds, so that a late event needs
// no look at the events table. Version 1:
//
//	version  1 byte, 1
//	time     8 bytes, big endian: of the first event, µs since 1970 UTC
//	and for each event, in the order of Sort:
//	  head   1 byte: kind in bits 0–1; bit 2: party ≠ 1; bits 3–6: method, zone,
//	         plan, team are said
//	  delta  uvarint: µs since the event before
//	  key    16 bytes
//	  party, method, zone, plan, team: a uvarint each, as far as head says
//
// No events are no bytes.
const packVersion = 1

const (
	hasParty = 1 << (iota + 2)
	hasMethod
	hasZone
	hasPlan
	hasTeam
)

// Append appends the packed form of sorted events: about 22 bytes each.
func Append(dst []byte, events []Event) []byte {
	if len(events) == 0 {
		return dst
	}
	at := events[0].Time
	dst = append(dst, packVersion)
	dst = binary.BigEndian.AppendUint64(dst, uint64(at))
	for i := range events {
		e := &events[i]
		head := byte(e.Kind)
		words := [...]struct {
			bit   byte
			value int32
			none  int32
		}{{hasParty, e.Party, 1}, {hasMethod, e.Method, 0}, {hasZone, e.Zone, 0}, {hasPlan, e.Plan, 0}, {hasTeam, e.Team, 0}}
		for _, w := range words {
			if w.value != w.none {
				head |= w.bit
			}
		}
		dst = append(dst, head)
		dst = binary.AppendUvarint(dst, uint64(e.Time-at))
		dst = append(dst, e.Key[:]...)
		for _, w := range words {
			if head&w.bit != 0 {
				dst = binary.AppendUvarint(dst, uint64(uint32(w.value)))
			}
		}
		at = e.Time
	}
	return dst
}

// Decode reads what Append wrote. Bytes that it did not write are fault.Internal.
func Decode(packed []byte) ([]Event, error) {
	if len(packed) == 0 {
		return nil, nil
	}
	if len(packed) < 9 || packed[0] != packVersion {
		return nil, fault.Internal.Errorf("a unit's events: unknown format")
	}
	r := reader{rest: packed[9:]}
	at := int64(binary.BigEndian.Uint64(packed[1:]))
	events := make([]Event, 0, len(r.rest)/20+1)
	for len(r.rest) > 0 && !r.failed {
		head := r.byte()
		e := Event{Kind: Kind(head & 3), Party: 1}
		at += int64(r.uvarint())
		e.Time = at
		copy(e.Key[:], r.bytes(len(e.Key)))
		for _, w := range [...]struct {
			bit   byte
			value *int32
		}{{hasParty, &e.Party}, {hasMethod, &e.Method}, {hasZone, &e.Zone}, {hasPlan, &e.Plan}, {hasTeam, &e.Team}} {
			if head&w.bit != 0 {
				*w.value = int32(uint32(r.uvarint()))
			}
		}
		events = append(events, e)
	}
	if r.failed {
		return nil, fault.Internal.Errorf("a unit's events: cut short after %d", len(events)-1)
	}
	return events, nil
}

// reader takes bytes from the front; one that ran out stays failed.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) bytes(n int) []byte {
	if len(r.rest) < n {
		r.failed, r.rest = true, nil
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.failed, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}
