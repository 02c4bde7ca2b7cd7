package outbox

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A kill leaves what was written, a power cut only what was synced, and of the rest
// anything. unsynced is a disk that knows the difference.
type unsynced struct {
	files []*leaky
	lies  bool // it says that it syncs, and does not
}

type leaky struct {
	*os.File
	disk   *unsynced
	synced int64 // bytes from the beginning that a power cut leaves
}

func (d *unsynced) open(name string) (file, error) {
	opened, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := opened.Stat()
	f := &leaky{File: opened, disk: d, synced: info.Size()}
	d.files = append(d.files, f)
	return f, err
}

func (f *leaky) Sync() error {
	info, err := f.Stat()
	if !f.disk.lies {
		f.synced = info.Size()
	}
	return err
}

func (f *leaky) Truncate(size int64) error {
	f.synced = min(f.synced, size)
	return f.File.Truncate(size)
}

// cut ends the power: of what was not synced some is left, and some of that is wrong.
func (d *unsynced) cut(t *rapid.T, o *Outbox) {
	for _, f := range d.files {
		text, err := os.ReadFile(f.Name())
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		left := rapid.IntRange(int(f.synced), len(text)).Draw(t, "left")
		for i := int(f.synced); i < left; i++ {
			if rapid.IntRange(0, 20).Draw(t, "wrong") == 0 {
				text[i] ^= 0x55
			}
		}
		if err := os.WriteFile(f.Name(), text[:left], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.files = nil
	mark := filepath.Join(o.dir, "delivered")
	if rapid.Bool().Draw(t, "lost mark") {
		if err := os.Truncate(mark, 0); err != nil {
			t.Fatal(err)
		}
	}
	_ = o.lock.Close() // the process is gone
	o.lock = nil
	for _, s := range o.segments {
		_ = s.file.Close() // likewise
	}
	_ = o.refused.close()
	_ = o.mark.Close()
}

// through is any number of appends, deliveries and power cuts, some in the middle of a
// write; it is what was lost of what was acknowledged and not delivered.
func through(t *rapid.T, dir string, disk *unsynced) (lost string) {
	o, err := openWith(dir, roomy, disk.open)
	if err != nil {
		t.Fatal(err)
	}
	var acknowledged []string
	delivered := 0 // of those, from the first
	for n := range rapid.IntRange(1, 25).Draw(t, "steps") {
		switch rapid.SampledFrom([]string{"append", "append", "deliver", "cut", "cut in a write"}).Draw(t, "step") {
		case "append":
			body := fmt.Sprint("event ", n)
			if err := o.Append([]byte(body)); err != nil {
				t.Fatal(err)
			}
			acknowledged = append(acknowledged, body)
			continue
		case "deliver":
			events, err := o.Read(rapid.IntRange(1, 3).Draw(t, "count"), roomy)
			if err == nil {
				err = o.Done(events)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				delivered = max(delivered, 1+slices.Index(acknowledged, string(e.Body)))
			}
			continue
		case "cut in a write":
			s := o.segments[len(o.segments)-1]
			if _, err := s.file.WriteAt(frame(o.next, []*entry{{body: []byte("half")}}), s.size); err != nil {
				t.Fatal(err)
			}
		}
		disk.cut(t, o)
		if o, err = openWith(dir, roomy, disk.open); err != nil {
			return fmt.Sprintf("%s: %v", fault.Code(err), err)
		}
		events, err := o.Read(1e6, roomy)
		if err != nil {
			t.Fatal(err)
		}
		there := []string{}
		for _, e := range events {
			if string(e.Body) != "half" { // was never acknowledged, and may be there
				there = append(there, string(e.Body))
			}
		}
		// What is there is what was acknowledged, less some of what was delivered.
		gone := len(acknowledged) - len(there)
		if gone < 0 || gone > delivered {
			return fmt.Sprintf("%d of %d acknowledged events are gone, %d were delivered", gone, len(acknowledged), delivered)
		}
		if diff := cmp.Diff(append([]string{}, acknowledged[gone:]...), there); diff != "" {
			return diff
		}
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	return ""
}

func TestNothingAcknowledgedIsLostByAPowerCut(t *testing.T) {
	root, runs := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		if lost := through(t, filepath.Join(root, fmt.Sprint(runs)), &unsynced{}); lost != "" {
			t.Fatal(lost)
		}
	})
}

// The check itself: without the sync before the acknowledgement it fails.
func TestADiskThatDoesNotSyncIsFoundOut(t *testing.T) {
	root, runs, found := t.TempDir(), 0, false
	rapid.Check(t, func(t *rapid.T) {
		runs++
		found = found || through(t, filepath.Join(root, fmt.Sprint(runs)), &unsynced{lies: true}) != ""
	})
	if !found {
		t.Error("nobody noticed")
	}
}
