// Package outbox keeps events on disk, in their order, until they are delivered. What
// Append has accepted is there after a kill and after a power cut.
//
// A folder holds segments (<first sequence>.log), which are frames one after another,
// and beside them `delivered`, which says how far delivery has come, `refused.ndjson`,
// what was set aside, and `lock`. Only `delivered` is written without a sync: where it
// lags behind, events are delivered once more, which is harmless.
package outbox

import (
	"os"
	"path/filepath"
	"sync"

	"coworking/pkg/fault"
)

// Outbox is an open folder. It may be used by many goroutines at once, of which one
// delivers: Read, then Done or Refuse.
type Outbox struct {
	dir   string
	limit int64
	open  func(name string) (file, error)
	lock  *os.File
	mark  *os.File

	writing sync.Mutex // held by the one who writes; taken before mu

	mu        sync.Mutex
	segments  []*segment // oldest first, never empty; the last is written to
	cursor    int64      // in the oldest segment: the frame that delivery has come to
	next      uint64     // sequence of the next event
	delivered uint64     // all events below it are
	pending   int        // events that are not
	bytes     int64      // of those, and of those that are being written
	refused   refused
	waiting   []*entry
	broken    error // why nothing more can be written
}

// file is what an outbox wants of *os.File, so that a test can take away what was
// not synced.
type file interface {
	ReadAt(p []byte, at int64) (int, error)
	WriteAt(p []byte, at int64) (int, error)
	Truncate(size int64) error
	Sync() error
	Close() error
}

// Open opens a folder, which is made if it is not there, and cuts off what a crash
// left half-written. Events that wait and those that were refused take limit bytes at
// most; the folder may take some megabytes more.
//
// The error is fault.Unavailable with `outbox_locked` if somebody has the folder open,
// `outbox_damaged` if something is broken that is no half-written end, and
// `outbox_failed` if the disk does not do what it should.
func Open(dir string, limit int64) (*Outbox, error) {
	return openWith(dir, limit, func(name string) (file, error) {
		return os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	})
}

func openWith(dir string, limit int64, open func(string) (file, error)) (o *Outbox, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, failed(err)
	}
	o = &Outbox{dir: dir, limit: limit, open: open}
	if o.lock, err = lock(filepath.Join(dir, "lock")); err != nil {
		return nil, err
	}
	if err := o.load(); err != nil {
		_ = o.release() // nothing was written
		return nil, err
	}
	return o, nil
}

// load finds what the last process left.
func (o *Outbox) load() (err error) {
	if o.mark, o.delivered, err = openMark(filepath.Join(o.dir, "delivered")); err != nil {
		return err
	}
	if err := o.refused.open(filepath.Join(o.dir, "refused.ndjson")); err != nil {
		return err
	}
	if err := o.loadSegments(); err != nil {
		return err
	}
	if err := syncFolder(filepath.Dir(o.dir)); err != nil {
		return err
	}
	return syncFolder(o.dir)
}

// failed is what the disk said.
func failed(err error) error {
	return fault.Unavailable.With("outbox_failed", "", "the outbox on disk: %w", err)
}

// syncFolder makes the names in a folder last.
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return failed(err)
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil {
		return failed(err)
	}
	return nil
}

// Pending is how many events wait.
func (o *Outbox) Pending() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.pending
}

// Positions is the sequence of the next event, and that below which all are delivered
// or set aside.
func (o *Outbox) Positions() (next, delivered uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.next, o.delivered
}

// Close lets go of the folder. What waits is there when it is opened again.
func (o *Outbox) Close() error {
	o.writing.Lock()
	defer o.writing.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.broken = fault.Unavailable.With("outbox_closed", "", "the outbox is closed")
	return o.release()
}

func (o *Outbox) release() error {
	var first error
	note := func(err error) {
		if err != nil && first == nil {
			first = failed(err)
		}
	}
	for _, s := range o.segments {
		note(s.file.Close())
	}
	o.segments = nil
	note(o.refused.close())
	if o.mark != nil {
		note(o.mark.Sync()) // not needed, but then nothing is sent twice after a power cut
		note(o.mark.Close())
		o.mark = nil
	}
	if o.lock != nil {
		note(o.lock.Close()) // last; the file stays: whoever removed it would let two in
		o.lock = nil
	}
	return first
}
