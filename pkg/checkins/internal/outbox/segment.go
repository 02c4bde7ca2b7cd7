package outbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"coworking/pkg/fault"
)

// segmentSize is how large a segment grows before the next one is begun. A segment
// is removed when all of it is delivered.
const segmentSize = 4 << 20

// segment is a file of frames.
type segment struct {
	name string
	file file
	size int64 // of what is written and synced
}

// loadSegments opens all segments, counts what waits in them, and finds where
// delivery and writing go on.
func (o *Outbox) loadSegments() error {
	names, err := segmentNames(o.dir)
	if err != nil {
		return err
	}
	for i, name := range names {
		first, _ := firstSequence(name) // it is one, or it would not be listed
		o.next = max(o.next, first)
		if err := o.loadSegment(name, i == len(names)-1); err != nil {
			return err
		}
	}
	o.next = max(o.next, o.delivered)
	if len(names) == 0 {
		if err := o.newSegment(); err != nil {
			return err
		}
	}
	if o.pending == 0 {
		o.delivered = o.next
	}
	return o.passDelivered()
}

// segmentNames is the names of the segments in a folder, oldest first.
func segmentNames(dir string) ([]string, error) {
	all, err := os.ReadDir(dir)
	if err != nil {
		return nil, failed(err)
	}
	var names []string
	for _, entry := range all { // sorted by name, which is by sequence
		if _, ok := firstSequence(entry.Name()); ok {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

const suffix = ".log"

func segmentName(first uint64) string { return fmt.Sprintf("%020d"+suffix, first) }

func firstSequence(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	first, err := strconv.ParseUint(digits, 10, 64)
	return first, ok && err == nil && segmentName(first) == name
}

// loadSegment opens one segment. The last one may end with a frame that a crash tore
// before anybody was told that it is kept: that is cut off. Anything else that is not
// whole was once acknowledged, and nobody but a person can decide to lose it.
func (o *Outbox) loadSegment(name string, last bool) error {
	path := filepath.Join(o.dir, name)
	raw, err := os.ReadFile(path)
	if err != nil {
		return failed(err)
	}
	s := &segment{name: name}
	if s.file, err = o.open(path); err != nil {
		return failed(err)
	}
	o.segments = append(o.segments, s)
	for int(s.size) < len(raw) {
		h, body, whole := readFrame(raw[s.size:])
		if !whole || h.sequence < o.next {
			break
		}
		o.next = h.end()
		o.count(h, body)
		s.size += h.size()
	}
	rest := raw[s.size:]
	if len(rest) == 0 {
		return nil
	}
	if !last || holdsFrame(rest) {
		return fault.Unavailable.With("outbox_damaged", "", "the outbox on disk: %s is broken from byte %d on, and more follows: this is no half-written end", path, s.size)
	}
	return s.cut()
}

// count takes a frame into the account of what waits.
func (o *Outbox) count(h head, body []byte) {
	for sequence, line := range eachEvent(h, body) {
		if sequence >= o.delivered {
			o.pending++
			o.bytes += int64(len(line)) + 1
		}
	}
}

// eachEvent goes through the events of a frame.
func eachEvent(h head, body []byte) func(yield func(uint64, []byte) bool) {
	return func(yield func(uint64, []byte) bool) {
		sequence := h.sequence
		for line := range bytes.Lines(body) {
			if !yield(sequence, line[:len(line)-1]) {
				return
			}
			sequence++
		}
	}
}

// cut takes away what is behind the last whole frame.
func (s *segment) cut() error {
	if err := s.file.Truncate(s.size); err != nil {
		return failed(err)
	}
	if err := s.file.Sync(); err != nil {
		return failed(err)
	}
	return nil
}

// newSegment begins a segment at the next sequence.
func (o *Outbox) newSegment() error {
	name := segmentName(o.next)
	opened, err := o.open(filepath.Join(o.dir, name))
	if err != nil {
		return failed(err)
	}
	if err := syncFolder(o.dir); err != nil {
		return errors.Join(err, opened.Close())
	}
	o.segments = append(o.segments, &segment{name: name, file: opened})
	return nil
}

// passDelivered moves the cursor past frames of which every event is delivered, and
// removes segments that hold nothing else.
func (o *Outbox) passDelivered() error {
	for {
		s := o.segments[0]
		if o.cursor >= s.size {
			if len(o.segments) == 1 {
				return nil
			}
			// Before it is forgotten: what could not be removed is tried again.
			if err := os.Remove(filepath.Join(o.dir, s.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return failed(err)
			}
			_ = s.file.Close() // nothing of it is wanted any more
			o.segments, o.cursor = o.segments[1:], 0
			continue
		}
		var raw [headSize]byte
		if _, err := s.file.ReadAt(raw[:], o.cursor); err != nil && !errors.Is(err, io.EOF) {
			return failed(err)
		}
		h, ok := readHead(raw[:])
		if !ok {
			return s.damaged(o.cursor)
		}
		if h.end() > o.delivered {
			return nil
		}
		o.cursor += h.size()
	}
}

func (s *segment) damaged(at int64) error {
	return fault.Unavailable.With("outbox_damaged", "", "the outbox on disk: %s has no whole frame at byte %d, where there was one", s.name, at)
}
