package pg

import (
	"encoding/binary"
	"errors"
	"unsafe"
)

// Epoch is when Postgres counts from in its binary formats: µs from 1970 to 2000.
const Epoch = 946_684_800_000_000

// arrayHeader is how many bytes come before the elements of an array: dimensions, nulls,
// type, size and first index. Each element has its length before it.
const arrayHeader = 20

// Array reads an array of numbers as Postgres sends it (array_send), from a
// pgtype.UndecodedBytes: an int4[], or an int8[] or a timestamptz[] (µs since Epoch).
// Thousands of elements are read at once, not through an interface each. An error says
// that there are nulls in it, or elements of another size.
func Array[T int32 | int64](sent []byte) ([]T, error) {
	if len(sent) < arrayHeader {
		return []T{}, nil // an empty one has no size, and null has nothing
	}
	size := int(unsafe.Sizeof(T(0)))
	n := int(binary.BigEndian.Uint32(sent[12:]))
	if len(sent) != arrayHeader+n*(4+size) {
		return nil, errors.New("an array with nulls, or of other numbers")
	}
	read := make([]T, n)
	for i := range read {
		element := sent[arrayHeader+i*(4+size)+4:]
		if size == 4 {
			read[i] = T(int32(binary.BigEndian.Uint32(element)))
		} else {
			read[i] = T(int64(binary.BigEndian.Uint64(element)))
		}
	}
	return read, nil
}
