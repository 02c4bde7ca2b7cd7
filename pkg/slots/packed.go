package slots

import (
	"encoding/binary"
	"math"

	"coworking/pkg/fault"
)

// The packed form, version 1, so that a busy day takes some 0.2–0.5 KB:
//
//	day    = nothing, if all counters are zero
//	       | version series×7     checkins, failed, arrivals, anonymous,
//	                              departures explicit, departures estimated, presence
//	series = length token…        until there are as many counters as length says
//	token  = count                a counter that is not zero
//	       | 0 run                as many counters that are zero
//
// version is the byte 1; all else are unsigned varints, seven bits a byte, the
// lowest first, the highest bit set where more follow, in as few bytes as will
// do. Every series ends with a counter that is not zero, and runs of zeros are
// as long as they can be. So a day has one packed form only: two days are equal
// if their bytes are.
//
// The SQL function day_slots reads the same form: change both together.
const version = 1

// Append packs the day behind dst. It panics on a counter below zero, which no
// method of Day leaves behind.
func (d *Day) Append(dst []byte) []byte {
	if d.Len() == 0 {
		return dst
	}
	dst = append(dst, version)
	for _, s := range d.series() {
		dst = appendSeries(dst, trimmed(*s))
	}
	return dst
}

func appendSeries(dst []byte, series []int64) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(series)))
	zeros := 0
	for _, n := range series {
		if n < 0 {
			panic("slots: a counter below zero")
		}
		if n == 0 {
			zeros++
			continue
		}
		if zeros > 0 {
			dst = append(dst, 0)
			dst = binary.AppendUvarint(dst, uint64(zeros))
			zeros = 0
		}
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	return dst
}

// Decode reads what Append wrote, to the last byte. Anything else is
// fault.Internal: nobody but us writes these bytes.
func Decode(packed []byte) (Day, error) {
	var d Day
	if err := d.Read(packed); err != nil {
		return Day{}, err
	}
	return d, nil
}

// Read is Decode into a day whose memory is used again; what it held before is
// gone. After an error it holds nothing of use.
func (d *Day) Read(packed []byte) error {
	for _, s := range d.series() {
		*s = (*s)[:0]
	}
	if len(packed) == 0 {
		return nil
	}
	if packed[0] != version {
		return fault.Internal.Errorf("packed slots: version %d, not %d", packed[0], version)
	}
	r := reader{rest: packed[1:]}
	for _, s := range d.series() {
		*s = r.series(*s)
	}
	switch {
	case r.bad != "":
		return fault.Internal.Errorf("packed slots: %s, %d bytes before the end", r.bad, len(r.rest))
	case len(r.rest) > 0:
		return fault.Internal.Errorf("packed slots: %d bytes too many", len(r.rest))
	case d.Len() == 0:
		return fault.Internal.Errorf("packed slots: nothing in %d bytes", len(packed))
	}
	return nil
}

// reader takes packed bytes apart. Once something is bad it reads only zeros.
type reader struct {
	rest []byte
	bad  string
}

func (r *reader) series(into []int64) []int64 {
	length := int(r.uvarint(Max))
	for len(into) < length && r.bad == "" {
		if n := r.uvarint(math.MaxInt64); n != 0 {
			into = append(into, int64(n))
			continue
		}
		if len(into) > 0 && into[len(into)-1] == 0 {
			r.bad = "two runs of zeros in a row"
		}
		zeros := int(r.uvarint(Max))
		if zeros == 0 || len(into)+zeros >= length {
			r.bad = "a run of zeros that is empty or ends the series"
		}
		if r.bad == "" {
			into = append(into, make([]int64, zeros)...)
		}
	}
	return into
}

func (r *reader) uvarint(most uint64) uint64 {
	n, width := binary.Uvarint(r.rest)
	switch {
	case r.bad != "":
		return 0
	case width <= 0:
		r.bad = "cut short"
		return 0
	case width > 1 && r.rest[width-1] == 0:
		r.bad = "a number in more bytes than it needs"
		return 0
	case n > most:
		r.bad = "a number that is too large"
		return 0
	}
	r.rest = r.rest[width:]
	return n
}
