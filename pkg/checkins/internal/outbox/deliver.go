package outbox

import (
	"encoding/binary"
	"hash/crc32"
	"os"
)

// Event is one that waits.
type Event struct {
	Sequence uint64
	Body     []byte
}

// Read is the oldest events that wait, so many and of so many bytes at most, but one
// at least if there is one.
func (o *Outbox) Read(most int, mostBytes int64) ([]Event, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.segments == nil {
		return nil, o.broken
	}
	var found []Event
	room := mostBytes
	at := o.cursor
	for _, s := range o.segments {
		for at < s.size {
			h, body, err := s.read(at)
			if err != nil {
				return nil, err
			}
			for sequence, line := range eachEvent(h, body) {
				if sequence < o.delivered {
					continue
				}
				room -= int64(len(line)) + 1
				if len(found) == most || room < 0 && len(found) > 0 {
					return found, nil
				}
				found = append(found, Event{Sequence: sequence, Body: line})
			}
			at += h.size()
		}
		at = 0
	}
	return found, nil
}

// read is the frame at a place where there is one.
func (s *segment) read(at int64) (head, []byte, error) {
	raw := make([]byte, headSize, 4<<10)
	if _, err := s.file.ReadAt(raw, at); err != nil {
		return head{}, nil, failed(err)
	}
	h, ok := readHead(raw)
	if !ok || at+h.size() > s.size {
		return head{}, nil, s.damaged(at)
	}
	raw = append(raw, make([]byte, h.length)...)
	if _, err := s.file.ReadAt(raw[headSize:], at+headSize); err != nil {
		return head{}, nil, failed(err)
	}
	h, body, whole := readFrame(raw)
	if !whole {
		return head{}, nil, s.damaged(at)
	}
	return h, body, nil
}

// Done says that the first of the events that Read gave are delivered, or set aside:
// they will not be read again. After an error they may be, in another life.
func (o *Outbox) Done(events []Event) error {
	if len(events) == 0 {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.segments == nil {
		return o.broken
	}
	for _, e := range events {
		o.pending--
		o.bytes -= int64(len(e.Body)) + 1
	}
	o.delivered = events[len(events)-1].Sequence + 1
	if err := writeMark(o.mark, o.delivered); err != nil {
		return err
	}
	return o.passDelivered()
}

// openMark opens the file that says how far delivery has come. One that cannot be
// read says that nothing is delivered.
func openMark(name string) (*os.File, uint64, error) {
	mark, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, 0, failed(err)
	}
	var raw [12]byte
	if n, _ := mark.ReadAt(raw[:], 0); n < len(raw) || binary.BigEndian.Uint32(raw[8:]) != crc32.Checksum(raw[:8], castagnoli) {
		return mark, 0, nil
	}
	return mark, binary.BigEndian.Uint64(raw[:8]), nil
}

// writeMark is not synced: see the package.
func writeMark(mark *os.File, delivered uint64) error {
	raw := binary.BigEndian.AppendUint64(nil, delivered)
	raw = binary.BigEndian.AppendUint32(raw, crc32.Checksum(raw, castagnoli))
	if _, err := mark.WriteAt(raw, 0); err != nil {
		return failed(err)
	}
	return nil
}
