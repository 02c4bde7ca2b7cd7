package slots

import (
	"bytes"
	"math"
	"testing"

	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func days() *rapid.Generator[Day] {
	counter := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, 300), rapid.Int64Range(0, math.MaxInt64))
	return rapid.Custom(func(t *rapid.T) Day {
		var d Day
		for _, s := range d.series() {
			*s = trimmed(rapid.SliceOfN(counter, 0, 110).Draw(t, "series"))
		}
		return d
	})
}

func TestAPackedDayComesBackWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := days().Draw(t, "day")
		packed := want.Append([]byte("before"))
		if !bytes.HasPrefix(packed, []byte("before")) {
			t.Fatal("what was there before is gone")
		}
		got, err := Decode(packed[len("before"):])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestADayWhoseMemoryIsUsedAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got := days().Draw(t, "before")
		want := days().Draw(t, "day")
		if err := got.Read(want.Append(nil)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestTheFormatIsWhatItsDescriptionSays(t *testing.T) {
	tests := map[string]struct {
		day  Day
		want []byte
	}{
		"an empty day": {Day{}, nil},
		"only zeros":   {Day{Arrivals: []int64{0, 0}}, nil},
		"one check-in": {Day{Checkins: []int64{1}}, []byte{1, 1, 1, 0, 0, 0, 0, 0, 0}},
		"a run of zeros": {
			Day{Checkins: []int64{0, 0, 0, 7, 0, 300, 0}},
			[]byte{1, 6, 0, 3, 7, 0, 1, 0xac, 2, 0, 0, 0, 0, 0, 0},
		},
		"the last series": {
			Day{Presence: []int64{0, 900_000_000}},
			[]byte{1, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0x80, 0xd2, 0x93, 0xad, 3},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.day.Append(nil)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBytesThatNobodyPackedAreRefused(t *testing.T) {
	six := []byte{0, 0, 0, 0, 0, 0} // the series that hold nothing
	series := func(b ...byte) []byte { return append(append([]byte{version}, b...), six...) }
	tests := map[string][]byte{
		"another version":                      append([]byte{2, 1, 1}, six...),
		"only a version":                       {version},
		"a series missing":                     series(1, 1)[:8],
		"a byte too many":                      append(series(1, 1), 0),
		"nothing, in many bytes":               series(0),
		"a series longer than a day can be":    series(0x81, 4, 1),
		"a series cut short":                   {version, 5, 1},
		"a zero at the end":                    series(2, 1, 0, 1),
		"an empty run":                         series(2, 0, 0, 1),
		"two runs in a row":                    series(4, 0, 1, 0, 2, 1),
		"a run past the end":                   series(2, 0, 9, 1),
		"a run past the end of all days":       series(2, 0, 0xff, 0xff, 0xff, 0xff, 0x7f, 1),
		"a number in more bytes than it needs": series(1, 0x81, 0),
		"a number past 63 bits":                series(1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
		"a number past 64 bits":                series(1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
	}
	for name, bad := range tests {
		t.Run(name, func(t *testing.T) {
			day, err := Decode(bad)
			if fault.Of(err) != fault.Internal {
				t.Errorf("got %+v, %v", day, err)
			}
			if diff := cmp.Diff(Day{}, day); diff != "" {
				t.Errorf("it holds (-nothing +got):\n%s", diff)
			}
		})
	}
}

func TestACounterBelowZeroIsNeverPacked(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it was")
		}
	}()
	day := Day{Failed: []int64{-1}}
	day.Append(nil)
}

// busy is a day of 300 visits.
func busy() Day {
	var day Day
	for i := range int64(300) {
		in := 7*hour + i*i%(9*hour/minute)*minute + i
		day.AddCheckin(plainDay, in)
		day.AddVisit(plainDay, Visit{In: in, Out: in + 3*hour + i%120*minute, Party: 1, Explicit: i%3 > 0})
	}
	return day
}

func TestABusyDayTakesHalfAKilobyte(t *testing.T) {
	day := busy()
	if n := len(day.Append(nil)); n < 200 || n > 560 {
		t.Errorf("%d bytes", n)
	}
}

func FuzzDecode(f *testing.F) {
	day := busy()
	f.Add([]byte(nil))
	f.Add(day.Append(nil))
	f.Fuzz(func(t *testing.T, packed []byte) {
		day, err := Decode(packed)
		if err != nil {
			if fault.Of(err) != fault.Internal {
				t.Errorf("kind %v: %v", fault.Of(err), err)
			}
			return
		}
		if again := day.Append(nil); !bytes.Equal(again, packed) {
			t.Errorf("% x came back as % x", packed, again)
		}
	})
}

func BenchmarkAddVisit(b *testing.B) {
	b.ReportAllocs()
	day := busy()
	v := Visit{In: 9 * hour, Out: 14 * hour, Party: 1}
	for b.Loop() {
		day.AddVisit(plainDay, v)
	}
}

func BenchmarkSubVisit(b *testing.B) {
	b.ReportAllocs()
	day := busy()
	v := Visit{In: 9 * hour, Out: 14 * hour, Party: 1}
	for b.Loop() {
		day.AddVisit(plainDay, v)
		if err := day.SubVisit(plainDay, v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	b.ReportAllocs()
	day := busy()
	var packed []byte
	for b.Loop() {
		packed = day.Append(packed[:0])
	}
	b.ReportMetric(float64(len(packed)), "B/day")
}

func BenchmarkRead(b *testing.B) {
	b.ReportAllocs()
	day := busy()
	packed := day.Append(nil)
	for b.Loop() {
		if err := day.Read(packed); err != nil {
			b.Fatal(err)
		}
	}
}
