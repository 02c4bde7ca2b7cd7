package outbox

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// A frame is what one write brings to disk: events, each ending with a line feed,
// behind a head. As the next frame is written only when this one is synced, a crash
// can tear the last frame of the last segment, and no other.
//
//	bytes  0–3   FF C7 1B 01: begins with what is in no UTF-8 text
//	       4–7   length of the body
//	       8–11  number of events
//	      12–19  sequence of the first event
//	      20–23  CRC-32C of bytes 4–19 and the body
//	      24–    body
//
// Numbers are big-endian.
const (
	headSize = 24
	maxGroup = 1 << 20 // bytes of a body that holds more than one event
)

var (
	magic      = []byte{0xff, 0xc7, 0x1b, 0x01}
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// head is a frame's, read.
type head struct {
	length   int64 // of the body
	count    int
	sequence uint64
	sum      uint32
}

func (h head) size() int64 { return headSize + h.length }

func (h head) end() uint64 { return h.sequence + uint64(h.count) }

// readHead reads what a frame begins with; false if that is no head.
func readHead(raw []byte) (head, bool) {
	if len(raw) < headSize || !bytes.Equal(raw[:4], magic) {
		return head{}, false
	}
	return head{
		length:   int64(binary.BigEndian.Uint32(raw[4:])),
		count:    int(binary.BigEndian.Uint32(raw[8:])),
		sequence: binary.BigEndian.Uint64(raw[12:]),
		sum:      binary.BigEndian.Uint32(raw[20:]),
	}, true
}

// readFrame reads the frame at the beginning of raw; false if it is not whole.
func readFrame(raw []byte) (h head, body []byte, whole bool) {
	h, ok := readHead(raw)
	if !ok || int64(len(raw)) < h.size() {
		return head{}, nil, false
	}
	body = raw[headSize:h.size()]
	whole = h.sum == checksum(raw[4:20], body) && h.count > 0 && bytes.Count(body, []byte{'\n'}) == h.count
	return h, body, whole
}

func checksum(head, body []byte) uint32 {
	return crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, body)
}

// frame is the bytes of events as they are written.
func frame(sequence uint64, group []*entry) []byte {
	var empty [headSize]byte
	raw := append([]byte(nil), empty[:]...)
	for _, e := range group {
		raw = append(raw, e.body...)
		raw = append(raw, '\n')
	}
	copy(raw, magic)
	binary.BigEndian.PutUint32(raw[4:], uint32(len(raw)-headSize))
	binary.BigEndian.PutUint32(raw[8:], uint32(len(group)))
	binary.BigEndian.PutUint64(raw[12:], sequence)
	binary.BigEndian.PutUint32(raw[20:], checksum(raw[4:20], raw[headSize:]))
	return raw
}

// holdsFrame says whether a whole frame begins anywhere in raw.
func holdsFrame(raw []byte) bool {
	for {
		at := bytes.Index(raw, magic)
		if at < 0 {
			return false
		}
		raw = raw[at:]
		if _, _, whole := readFrame(raw); whole {
			return true
		}
		raw = raw[1:]
	}
}
