package outbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const roomy = 64 << 20

func opened(t *testing.T, dir string, limit int64) *Outbox {
	t.Helper()
	o, err := Open(dir, limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

func appended(t *testing.T, o *Outbox, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if err := o.Append([]byte(body)); err != nil {
			t.Fatalf("appending %.20q: %v", body, err)
		}
	}
}

// waiting is what would be delivered.
func waiting(t *testing.T, o *Outbox) []string {
	t.Helper()
	events, err := o.Read(1e6, roomy)
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, e := range events {
		bodies = append(bodies, string(e.Body))
	}
	if o.Pending() != len(bodies) {
		t.Errorf("%d events wait, it says %d", len(bodies), o.Pending())
	}
	return bodies
}

func done(t *testing.T, o *Outbox, count int) {
	t.Helper()
	events, err := o.Read(count, roomy)
	if err != nil || len(events) != count {
		t.Fatalf("%d events, want %d: %v", len(events), count, err)
	}
	if err := o.Done(events); err != nil {
		t.Fatal(err)
	}
}

func segments(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestWhatWaitsIsThereAgain(t *testing.T) {
	dir := t.TempDir()
	o := opened(t, dir, roomy)
	appended(t, o, "a", "b", "c")
	done(t, o, 1)
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o = opened(t, dir, roomy)
	appended(t, o, "d")
	if diff := cmp.Diff([]string{"b", "c", "d"}, waiting(t, o)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	done(t, o, 3)
	appended(t, o, "e")
	o.Close()
	o = opened(t, dir, roomy)
	if diff := cmp.Diff([]string{"e"}, waiting(t, o)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEndsThatAreTornAndThoseThatAreNot(t *testing.T) {
	whole := frame(2, []*entry{{body: []byte("c")}})
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-2] ^= 1
	cases := map[string]struct {
		tail []byte
		code string
	}{
		"nothing more":                       {tail: nil},
		"half a head":                        {tail: whole[:10]},
		"a head and no body":                 {tail: whole[:headSize]},
		"half a body":                        {tail: whole[:len(whole)-1]},
		"a body that never came to the disk": {tail: append(bytes.Clone(whole[:headSize]), 0, 0)},
		"zeros":                              {tail: make([]byte, 4096)},
		"one bit is wrong":                   {tail: flipped},
		"a length that is no length":         {tail: append(bytes.Clone(magic), bytes.Repeat([]byte{0xff}, 40)...)},
		"something broken before a frame":    {tail: append(bytes.Clone(flipped), frame(3, []*entry{{body: []byte("d")}})...), code: "outbox_damaged"},
		"a sequence that was there already":  {tail: frame(1, []*entry{{body: []byte("d")}}), code: "outbox_damaged"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			o := opened(t, dir, roomy)
			appended(t, o, "a", "b")
			o.Close()
			before, err := os.ReadFile(segments(t, dir)[0])
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(segments(t, dir)[0], append(before, c.tail...), 0o600); err != nil {
				t.Fatal(err)
			}
			o, err = Open(dir, roomy)
			if fault.Code(err) != c.code || c.code != "" && fault.Of(err) != fault.Unavailable {
				t.Fatalf("%v", err)
			}
			if err != nil {
				return
			}
			defer o.Close()
			if after, err := os.ReadFile(segments(t, dir)[0]); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the end is not cut off: %d bytes, want %d: %v", len(after), len(before), err)
			}
			appended(t, o, "e")
			if diff := cmp.Diff([]string{"a", "b", "e"}, waiting(t, o)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestALostMarkOnlyBringsEventsAgain(t *testing.T) {
	for name, mark := range map[string]string{"empty": "", "short": "abc", "wrong": strings.Repeat("x", 12)} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			o := opened(t, dir, roomy)
			appended(t, o, "a", "b")
			done(t, o, 1)
			o.Close()
			if err := os.WriteFile(filepath.Join(dir, "delivered"), []byte(mark), 0o600); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"a", "b"}, waiting(t, opened(t, dir, roomy))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAFullOutboxSaysSoAndTakesMoreWhenThereIsRoom(t *testing.T) {
	o := opened(t, t.TempDir(), 30)
	appended(t, o, "123456789", "123456789")
	if err := o.Refuse([]byte("x")); err != nil {
		t.Fatal(err)
	}
	err := o.Append([]byte("123456789"))
	want := "the outbox is full: 2 events wait in 20 bytes, and what was refused takes 2, of 30; an event needs 10"
	if fault.Code(err) != "outbox_full" || fault.Of(err) != fault.Unavailable || err.Error() != want {
		t.Errorf("%v", err)
	}
	appended(t, o, "1234567")
	done(t, o, 1)
	appended(t, o, "123456789")
	if err := o.Append([]byte("1")); fault.Code(err) != "outbox_full" {
		t.Errorf("%v", err)
	}
	if err := o.Forget(func([]byte) bool { return true }); err != nil {
		t.Fatal(err)
	}
	appended(t, o, "1")
}

func TestSegmentsAreFollowedAndRemoved(t *testing.T) {
	dir := t.TempDir()
	o := opened(t, dir, roomy)
	for n := range 200 { // of 64 KiB: 12.5 MiB
		appended(t, o, fmt.Sprintf("%03d", n)+strings.Repeat("x", 64<<10))
	}
	if got := len(segments(t, dir)); got != 4 {
		t.Errorf("%d segments", got)
	}
	done(t, o, 150)
	if got := len(segments(t, dir)); got != 2 {
		t.Errorf("%d segments after 150 of 200", got)
	}
	o.Close()
	o = opened(t, dir, roomy)
	if got := waiting(t, o); len(got) != 50 || got[0][:3] != "150" || got[49][:3] != "199" {
		t.Errorf("%d events wait", len(got))
	}
	done(t, o, 50)
	appended(t, o, "small")
	info, err := os.Stat(segments(t, dir)[0])
	if err != nil || info.Size() != headSize+6 || len(segments(t, dir)) != 1 {
		t.Errorf("what is delivered takes room: %d bytes in %v: %v", info.Size(), segments(t, dir), err)
	}
}

func TestABrokenSegmentBeforeTheLastIsNotCutOff(t *testing.T) {
	dir := t.TempDir()
	o := opened(t, dir, roomy)
	for range 100 {
		appended(t, o, strings.Repeat("x", 64<<10))
	}
	o.Close()
	first := segments(t, dir)[0]
	if err := os.Truncate(first, 100_000); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, roomy); fault.Code(err) != "outbox_damaged" {
		t.Errorf("%v", err)
	}
	if info, err := os.Stat(first); err != nil || info.Size() != 100_000 {
		t.Errorf("it was changed: %v, %v", info.Size(), err)
	}
}

func TestManyWritersShareAWrite(t *testing.T) {
	dir := t.TempDir()
	synced := &counting{}
	o, err := openWith(dir, roomy, synced.open)
	if err != nil {
		t.Fatal(err)
	}
	o.writing.Lock() // until all are there
	var group sync.WaitGroup
	for n := range 200 {
		group.Go(func() {
			if err := o.Append([]byte(fmt.Sprint(n))); err != nil {
				t.Error(err)
			}
		})
	}
	for all := 0; all < 200; {
		o.mu.Lock()
		all = len(o.waiting)
		o.mu.Unlock()
	}
	o.writing.Unlock()
	group.Wait()
	if got := len(waiting(t, o)); got != 200 || synced.times != 1 {
		t.Errorf("%d events in %d syncs", got, synced.times)
	}
	o.Close()
	if got := len(waiting(t, opened(t, dir, roomy))); got != 200 {
		t.Errorf("%d events after all", got)
	}
}

// counting is a disk that counts syncs, and fails on demand.
type counting struct {
	times       int
	write, sync error
}

type countedFile struct {
	*os.File
	disk *counting
}

func (c *counting) open(name string) (file, error) {
	opened, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	return &countedFile{opened, c}, err
}

func (f *countedFile) WriteAt(p []byte, at int64) (int, error) {
	if f.disk.write != nil { // a part of it arrives
		n, _ := f.File.WriteAt(p[:len(p)/2], at)
		return n, f.disk.write
	}
	return f.File.WriteAt(p, at)
}

func (f *countedFile) Sync() error {
	f.disk.times++
	return f.disk.sync
}

func TestADiskThatFails(t *testing.T) {
	cases := map[string]struct {
		disk  counting
		again string // what the next Append says, once the disk is well
	}{
		"a write that is cut short leaves room for the next": {counting{write: errors.New("no space left on device")}, ""},
		"after a sync that failed nothing more is taken":     {counting{sync: errors.New("input/output error")}, "outbox_failed"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir, disk := t.TempDir(), &counting{}
			o, err := openWith(dir, roomy, disk.open)
			if err != nil {
				t.Fatal(err)
			}
			appended(t, o, "a")
			*disk = c.disk
			if err := o.Append([]byte("b")); fault.Code(err) != "outbox_failed" || fault.Of(err) != fault.Unavailable {
				t.Errorf("%v", err)
			}
			*disk = counting{}
			want := []string{"a"}
			if err := o.Append([]byte("c")); fault.Code(err) != c.again {
				t.Errorf("%v", err)
			} else if err == nil {
				want = append(want, "c")
			}
			if diff := cmp.Diff(want, waiting(t, o)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			o.Close()
			if diff := cmp.Diff(want, waiting(t, opened(t, dir, roomy))); diff != "" {
				t.Errorf("after all (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAFolderIsOpenOnce(t *testing.T) {
	dir := t.TempDir()
	o := opened(t, dir, roomy)
	if _, err := Open(dir, roomy); fault.Code(err) != "outbox_locked" || fault.Of(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
	o.Close()
	opened(t, dir, roomy)
	if err := o.Append([]byte("a")); fault.Code(err) != "outbox_closed" {
		t.Errorf("%v", err)
	}
	if _, err := o.Read(1, 1); fault.Code(err) != "outbox_closed" {
		t.Errorf("%v", err)
	}
	if _, err := o.Refused(); fault.Code(err) != "outbox_closed" {
		t.Errorf("%v", err)
	}
}

func TestRefusedLinesSurviveATornOne(t *testing.T) {
	dir := t.TempDir()
	o := opened(t, dir, roomy)
	for _, line := range []string{"a", "b", "c"} {
		if err := o.Refuse([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	o.Close()
	name := filepath.Join(dir, "refused.ndjson")
	if err := os.WriteFile(name, []byte("a\nb\nc\nto"), 0o600); err != nil {
		t.Fatal(err)
	}
	o = opened(t, dir, roomy)
	if err := o.Forget(func(line []byte) bool { return string(line) == "b" }); err != nil {
		t.Fatal(err)
	}
	if err := o.Refuse([]byte("d")); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(name); err != nil || string(text) != "a\nc\nd\n" {
		t.Errorf("%q, %v", text, err)
	}
}
