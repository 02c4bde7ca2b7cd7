package legacy

import (
	"encoding/binary"
	"errors"
)

// postgresEpoch is when Postgres counts from: µs from 1970 to 2000.
const postgresEpoch = 946_684_800_000_000

// eights reads an array of numbers of eight bytes, an int8[] or a timestamptz[] (µs
// since 2000), as Postgres sends it (array_send): at once, not through an interface an
// element.
func eights(array []byte) ([]int64, error) {
	if len(array) < arrayHeader {
		return nil, nil // it has no elements
	}
	n := int(binary.BigEndian.Uint32(array[12:]))
	if len(array) != arrayHeader+n*(4+8) {
		return nil, errors.New("an array with nulls, or of other numbers")
	}
	read := make([]int64, n)
	for i := range read {
		read[i] = int64(binary.BigEndian.Uint64(array[arrayHeader+i*(4+8)+4:]))
	}
	return read, nil
}

// arrayHeader is how many bytes come before the elements: dimensions, nulls, type, size
// and first index. Each element has its length before it.
const arrayHeader = 20
