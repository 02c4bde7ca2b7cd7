package progress

import (
	"bytes"
	"testing"
	"time"
)

func TestWithoutATerminalALineIsWrittenNowAndThen(t *testing.T) {
	var out bytes.Buffer
	b := New(&out, "publishing", 250_000)
	b.Set(10) // too soon
	b.told = b.told.Add(-time.Minute)
	b.Add(12_490)
	b.Done()
	if want := "publishing 12,500 of 250,000 (5 %)\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestBytesAreToldInMillions(t *testing.T) {
	var out bytes.Buffer
	b := NewBytes(&out, "reading", 0)
	b.told = b.told.Add(-time.Minute)
	b.Set(1_250_000)
	if want := "reading 1.2 MB\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestNoBarShowsNothing(*testing.T) {
	var b *Bar
	b.Set(1)
	b.Add(1)
	b.Done()
}

func TestDigitsStandInThrees(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1_234_567: "1,234,567", -123: "-123", -1234: "-1,234"} {
		if got := Grouped(n); got != want {
			t.Errorf("Grouped(%d) = %q, want %q", n, got, want)
		}
	}
}
