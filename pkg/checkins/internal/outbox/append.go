package outbox

import (
	"coworking/pkg/fault"
)

// entry is an event on its way to disk.
type entry struct {
	body []byte
	done bool
	err  error
}

func (e *entry) size() int64 { return int64(len(e.body)) + 1 }

// Append keeps an event, which must hold no line feed, and returns once it is synced.
// Those who come while somebody else writes share the next write.
//
// The error is fault.Unavailable: `outbox_full`, `outbox_closed` or `outbox_failed`.
// After the last one the event may be there all the same, if the disk did not even
// let go of what it had not taken; the outbox takes no more until it is opened again.
func (o *Outbox) Append(body []byte) error {
	e := &entry{body: body}
	if err := o.enter(e); err != nil {
		return err
	}
	o.writing.Lock()
	defer o.writing.Unlock()
	for !e.done {
		o.write()
	}
	return e.err
}

// enter lets an event wait for its turn, if there is room for it.
func (o *Outbox) enter(e *entry) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.broken != nil {
		return o.broken
	}
	if o.bytes+o.refused.size+e.size() > o.limit {
		return fault.Unavailable.With("outbox_full", "", "the outbox is full: %d events wait in %d bytes, and what was refused takes %d, of %d; an event needs %d",
			o.pending+len(o.waiting), o.bytes, o.refused.size, o.limit, e.size())
	}
	o.bytes += e.size()
	o.waiting = append(o.waiting, e)
	return nil
}

// write brings the next group to disk.
func (o *Outbox) write() {
	o.mu.Lock()
	group := o.takeGroup()
	sequence, broken := o.next, o.broken
	o.mu.Unlock()

	if broken != nil { // meanwhile
		o.settle(group, nil, 0, broken)
		return
	}
	s, err := o.room()
	if err != nil {
		o.settle(group, nil, 0, err)
		return
	}
	raw := frame(sequence, group)
	o.settle(group, s, int64(len(raw)), o.store(s, raw))
}

// takeGroup is those who wait, as many as one frame should hold.
func (o *Outbox) takeGroup() []*entry {
	n, size := 0, int64(0)
	for n < len(o.waiting) && (n == 0 || size+o.waiting[n].size() <= maxGroup) {
		size += o.waiting[n].size()
		n++
	}
	group := o.waiting[:n:n]
	o.waiting = o.waiting[n:]
	return group
}

// room is the segment to write to. One that has grown large is followed by another;
// one of which everything is delivered is used from its beginning again.
func (o *Outbox) room() (*segment, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.segments[len(o.segments)-1]
	switch {
	case o.pending == 0 && s.size > 0 && len(o.segments) == 1:
		if err := s.file.Truncate(0); err != nil {
			return nil, failed(err)
		}
		s.size, o.cursor = 0, 0
	case s.size >= segmentSize:
		if err := o.newSegment(); err != nil {
			return nil, err
		}
		s = o.segments[len(o.segments)-1]
	}
	return s, nil
}

// store writes and syncs. After a sync that failed nobody knows what is on disk, and
// the next one would not tell: the outbox has to be opened again.
func (o *Outbox) store(s *segment, raw []byte) error {
	_, err := s.file.WriteAt(raw, s.size)
	if err == nil {
		if err = s.file.Sync(); err == nil {
			return nil
		}
	} else if s.cut() == nil {
		return failed(err) // the disk is full, say: it may be better the next time
	}
	err = failed(err)
	_ = s.file.Truncate(s.size) // so that nothing is delivered that nobody was promised
	o.mu.Lock()
	o.broken = err
	o.mu.Unlock()
	return err
}

// settle tells a group what became of it.
func (o *Outbox) settle(group []*entry, s *segment, size int64, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil {
		s.size += size
		o.next += uint64(len(group))
		o.pending += len(group)
	}
	for _, e := range group {
		e.done, e.err = true, err
		if err != nil {
			o.bytes -= e.size()
		}
	}
}
