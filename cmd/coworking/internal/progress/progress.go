// Package progress shows people how far something is: a bar on a terminal, a line
// now and then elsewhere.
package progress

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/schollz/progressbar/v3"
)

// tellEvery is how often a line is written where there is no terminal.
const tellEvery = 2 * time.Second

// Bar is one task that is under way. A nil Bar shows nothing.
type Bar struct {
	out   io.Writer
	what  string
	total int64
	done  int64
	bytes bool
	bar   *progressbar.ProgressBar // nil where there is no terminal
	told  time.Time
}

// New begins to show a task of so many steps; a total of 0 is not known.
func New(out io.Writer, what string, total int64) *Bar { return begin(out, what, total, false) }

// NewBytes begins to show a task whose steps are bytes.
func NewBytes(out io.Writer, what string, total int64) *Bar { return begin(out, what, total, true) }

func begin(out io.Writer, what string, total int64, bytes bool) *Bar {
	b := &Bar{out: out, what: what, total: total, bytes: bytes, told: time.Now()}
	if Terminal(out) {
		if total == 0 {
			total = -1 // a spinner
		}
		b.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(what), progressbar.OptionSetWidth(30),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetPredictTime(true),
			progressbar.OptionShowBytes(bytes), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	return b
}

// Set says how many steps are done.
func (b *Bar) Set(done int64) {
	if b == nil {
		return
	}
	b.done = done
	switch {
	case b.bar != nil:
		_ = b.bar.Set64(done) // what cannot be drawn does not matter
	case time.Since(b.told) >= tellEvery:
		b.told = time.Now()
		fmt.Fprintln(b.out, b.line())
	}
}

// Add says that so many more steps are done.
func (b *Bar) Add(more int64) {
	if b != nil {
		b.Set(b.done + more)
	}
}

// Left says how many steps are still to do, which may become more.
func (b *Bar) Left(left int64) {
	if b != nil {
		b.Set(max(0, b.total-left))
	}
}

// Done takes the bar away.
func (b *Bar) Done() {
	if b != nil && b.bar != nil {
		_ = b.bar.Finish() // what cannot be drawn does not matter
	}
}

func (b *Bar) line() string {
	if b.total == 0 {
		return b.what + " " + b.amount(b.done)
	}
	return fmt.Sprintf("%s %s of %s (%d %%)", b.what, b.amount(b.done), b.amount(b.total), 100*b.done/b.total)
}

func (b *Bar) amount(n int64) string {
	if b.bytes {
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return Grouped(n)
}

// Terminal says whether a person looks at what is written there.
func Terminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Grouped is a number with its digits in threes: 1,234,567.
func Grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
