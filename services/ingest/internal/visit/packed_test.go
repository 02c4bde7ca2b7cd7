package visit

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestPackedEventsComeBackWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := told(days().Draw(t, "day")).Draw(t, "events")
		packed := Append([]byte("before"), want)
		if !bytes.HasPrefix(packed, []byte("before")) {
			t.Fatal("what was there before is gone")
		}
		got, err := Decode(packed[len("before"):])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestPackedEventsKeepEveryFieldToItsEnds(t *testing.T) {
	const most = math.MaxInt32
	full := Key(bytes.Repeat([]byte{0xff}, 16))
	tests := map[string][]Event{
		"no events":                      nil,
		"nothing said":                   {{Kind: Departure}},
		"an arrival of nobody":           {{Kind: Arrival, Party: 0}},
		"a departure of one":             {{Kind: Departure, Party: 1}},
		"everything said, at its most":   {{Key: full, Time: math.MaxInt64, Kind: Touch, Party: most, Method: most, Zone: most, Plan: most, Team: most}},
		"before 1970":                    {{Time: math.MinInt64, Kind: Arrival, Party: 1}, {Time: -1, Kind: Touch}},
		"the same instant, two keys":     {{Key: Key{1}, Time: 5}, {Key: Key{2}, Time: 5}},
		"a zone, and neither plan nor …": {{Kind: Arrival, Party: 1, Zone: 300}},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Decode(Append(nil, want))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBytesThatNobodyPackedAreRefused(t *testing.T) {
	good := Append(nil, []Event{
		{Key: Key{1}, Time: 9 * hour, Kind: Arrival, Party: 2, Method: 1, Zone: 2},
		{Key: Key{2}, Time: 10 * hour, Kind: Departure},
	})
	changed := func(at int, to byte) []byte {
		bad := slices.Clone(good)
		bad[at] = to
		return bad
	}
	const what = 1 + 6 // behind version and time
	tests := map[string][]byte{
		"another version":                      changed(0, version+1),
		"only a version":                       good[:1],
		"only a version and a time":            good[:what],
		"a fourth kind":                        changed(what, 3),
		"the bit that nobody uses":             changed(what, good[what]|unusedBit),
		"a first event later than it says":     changed(what+1, 1),
		"a party that says the usual":          changed(what+18, 1),
		"a byte too many":                      append(slices.Clone(good), 0),
		"a byte too few":                       good[:len(good)-1],
		"a number in more bytes than it needs": append([]byte{version, 0x80, 0}, make([]byte, 18)...),
		"a number past 64 bits":                append([]byte{version}, bytes.Repeat([]byte{0xff}, 30)...),
		"events out of order":                  append(Append(nil, []Event{{Key: Key{2}, Time: 5}}), append([]byte{hasParty, 0, 1}, make([]byte, 16)...)...),
	}
	for name, bad := range tests {
		t.Run(name, func(t *testing.T) {
			events, err := Decode(bad)
			if fault.Of(err) != fault.Internal || events != nil {
				t.Errorf("got %v, %v", events, err)
			}
		})
	}
}

func TestAnEventTakesSomeTwentyFourBytes(t *testing.T) {
	var events []Event
	for i := range int64(8) {
		events = append(events, Event{Key: Key{byte(i)}, Time: 1_774_000_000_000_000 + i*50*minute + i, Kind: Kind(i % 3), Method: 40, Zone: 300})
	}
	perEvent := len(Append(nil, events)) / len(events)
	if perEvent > 28 {
		t.Errorf("%d bytes", perEvent)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(Append(nil, []Event{{Key: Key{1}, Time: 9 * hour, Party: 2, Plan: 3, Team: 4}, {Key: Key{2}, Time: 10 * hour, Kind: Departure, Method: 300}}))
	f.Fuzz(func(t *testing.T, packed []byte) {
		events, err := Decode(packed)
		if err != nil {
			if fault.Of(err) != fault.Internal {
				t.Errorf("kind %v: %v", fault.Of(err), err)
			}
			return
		}
		if again := Append(nil, events); !bytes.Equal(again, packed) {
			t.Errorf("% x came back as % x", packed, again)
		}
		if !slices.IsSortedFunc(events, compare) {
			t.Error("not sorted")
		}
	})
}

// FuzzFold reads a day off bytes: two an event, ticks since the one before and kind.
func FuzzFold(f *testing.F) {
	f.Add(uint8(24), uint8(48), []byte{100, 0, 20, 2, 12, 0, 60, 2})
	f.Fuzz(func(t *testing.T, hours, stay uint8, script []byte) {
		day := Day{End: int64(hours%3+23) * hour, DefaultStay: (int64(stay) + 1) * tick}
		var (
			events []Event
			at     int64
		)
		for i := 0; i+1 < len(script); i += 2 {
			at += int64(script[i]) * tick
			if at >= day.End {
				break
			}
			events = append(events, Event{Key: Key{byte(i >> 8), byte(i)}, Time: at, Kind: Kind(script[i+1] % 3)})
		}
		if wrong := unsound(day, events, Fold(day, events)); wrong != "" {
			t.Error(wrong)
		}
	})
}
