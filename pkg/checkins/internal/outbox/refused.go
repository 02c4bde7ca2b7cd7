package outbox

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// refused is the file of what was set aside: lines.
type refused struct {
	name string
	file *os.File
	size int64
}

// open opens the file, and cuts off a line that a crash tore.
func (r *refused) open(name string) (err error) {
	r.name = name
	if r.file, err = os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return failed(err)
	}
	raw, err := io.ReadAll(r.file)
	if err != nil {
		return failed(err)
	}
	r.size = int64(bytes.LastIndexByte(raw, '\n') + 1)
	if int(r.size) == len(raw) {
		return nil
	}
	if err := r.file.Truncate(r.size); err != nil {
		return failed(err)
	}
	return nil
}

func (r *refused) close() error {
	if r.file == nil {
		return nil
	}
	file := r.file
	r.file = nil
	return file.Close()
}

// add writes a line, and syncs it.
func (r *refused) add(line []byte) error {
	line = append(bytes.Clone(line), '\n')
	_, err := r.file.WriteAt(line, r.size)
	if err == nil {
		err = r.file.Sync()
	}
	if err != nil {
		return errors.Join(failed(err), r.file.Truncate(r.size))
	}
	r.size += int64(len(line))
	return nil
}

func (r *refused) lines() ([][]byte, error) {
	raw := make([]byte, r.size)
	if _, err := r.file.ReadAt(raw, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, failed(err)
	}
	var lines [][]byte
	for line := range bytes.Lines(raw) {
		lines = append(lines, line[:len(line)-1])
	}
	return lines, nil
}

// replace puts other lines in the place of all there are: a crash leaves the old
// ones or the new ones.
func (r *refused) replace(lines [][]byte) error {
	var raw []byte
	for _, line := range lines {
		raw = append(append(raw, line...), '\n')
	}
	fresh, err := os.OpenFile(r.name+".new", os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return failed(err)
	}
	_, err = fresh.Write(raw)
	if err == nil {
		err = fresh.Sync()
	}
	if err == nil {
		err = os.Rename(fresh.Name(), r.name)
	}
	if err != nil {
		return errors.Join(failed(err), fresh.Close())
	}
	_ = r.file.Close() // of what has no name any more
	r.file, r.size = fresh, int64(len(raw))
	return syncFolder(filepath.Dir(r.name))
}

// Refuse sets aside what is to be said of an event that Read gave: a line, synced.
// Done has to follow; a crash between the two brings the event, and its line, again.
func (o *Outbox) Refuse(line []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.refused.file == nil {
		return o.broken
	}
	return o.refused.add(line)
}

// Refused is all lines, oldest first.
func (o *Outbox) Refused() ([][]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.refused.file == nil {
		return nil, o.broken
	}
	return o.refused.lines()
}

// Forget drops the lines that are so.
func (o *Outbox) Forget(so func(line []byte) bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.refused.file == nil {
		return o.broken
	}
	lines, err := o.refused.lines()
	if err != nil {
		return err
	}
	var kept [][]byte
	for _, line := range lines {
		if !so(line) {
			kept = append(kept, line)
		}
	}
	return o.refused.replace(kept)
}
