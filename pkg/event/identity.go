package event

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"time"
)

// Key is an event's identity in 128 bits that depend on (space, source, id) alone.
type Key [16]byte

// KeyOf is the key of an event: the first 16 bytes of the SHA-256 of the three
// names, each with its length before it. If the id is a UUIDv7 or a ULID, whose
// first 48 bits are a time in milliseconds, these replace the first 48 of the key:
// keys of one time then lie together in the database's index, which is what keeps
// writing fast as history grows, and 80 bits of the hash are left.
func KeyOf(space, source, id string) Key {
	var buffer [3*(2+maxID) + 8]byte
	named := buffer[:0]
	for _, name := range [...]string{space, source, id} {
		named = binary.BigEndian.AppendUint16(named, uint16(len(name)))
		named = append(named, name...)
	}
	sum := sha256.Sum256(named)
	key := Key(sum[:16])
	if ms, ok := idTime(id); ok {
		key[0], key[1], key[2] = byte(ms>>40), byte(ms>>32), byte(ms>>24)
		key[3], key[4], key[5] = byte(ms>>16), byte(ms>>8), byte(ms)
	}
	return key
}

// Key is the event's identity.
func (e *Event) Key() Key { return KeyOf(e.Space, e.Source, e.ID) }

// idTime is the time in milliseconds that a UUIDv7 (RFC 9562) or a ULID
// (github.com/ulid/spec) begins with.
func idTime(id string) (ms uint64, ok bool) {
	switch len(id) {
	case 36:
		return uuidTime(id)
	case 26:
		return ulidTime(id)
	}
	return 0, false
}

func uuidTime(id string) (ms uint64, ok bool) {
	for i := range 36 {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if id[i] != '-' {
				return 0, false
			}
			continue
		}
		digit := hexDigit(id[i])
		if digit < 0 {
			return 0, false
		}
		if i < 13 {
			ms = ms<<4 | uint64(digit)
		}
	}
	version, variant := id[14], hexDigit(id[19])>>2
	return ms, version == '7' && variant == 0b10
}

func ulidTime(id string) (ms uint64, ok bool) {
	for i := range 26 {
		digit := crockford[id[i]]
		if digit == 0 {
			return 0, false
		}
		if i < 10 {
			ms = ms<<5 | uint64(digit-1)
		}
	}
	return ms, id[0] <= '7' // the rest would have more than 128 bits
}

// crockford is the digits of a ULID by their letter, plus one. It may be in lower case.
var crockford = func() (digits [256]byte) {
	for i, letter := range []byte("0123456789ABCDEFGHJKMNPQRSTVWXYZ") {
		digits[letter] = byte(i + 1)
		digits[letter|' '] = byte(i + 1) // a figure has that bit already
	}
	return digits
}()

// Content is a hash of what the event says: its kind, time, member and known
// fields, in one form whatever way they were written. It is never 0. The same key
// with other content is a conflict.
func (e *Event) Content() int64 {
	var buffer [512]byte
	said := append(buffer[:0], e.Kind...)
	said = append(said, 0)
	said = binary.BigEndian.AppendUint64(said, uint64(e.Time.UnixMicro()))
	said = appendString(said, e.Member)
	said = e.EncodeData(said)
	sum := sha256.Sum256(said)
	return int64(max(1, binary.BigEndian.Uint64(sum[:8])&(1<<63-1)))
}

// NewID is a UUIDv7 (RFC 9562): the id that publishers should give an event, its
// time first and then 74 bits that random gives. The error is random's.
func NewID(t time.Time, random io.Reader) (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(random, raw[6:]); err != nil {
		return "", err
	}
	ms := uint64(t.UnixMilli())
	raw[0], raw[1], raw[2] = byte(ms>>40), byte(ms>>32), byte(ms>>24)
	raw[3], raw[4], raw[5] = byte(ms>>16), byte(ms>>8), byte(ms)
	raw[6], raw[8] = raw[6]&0x0f|0x70, raw[8]&0x3f|0x80
	const digits = "0123456789abcdef"
	id := make([]byte, 0, 36)
	for i, b := range raw {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			id = append(id, '-')
		}
		id = append(id, digits[b>>4], digits[b&15])
	}
	return string(id), nil
}
