package visit

import "testing"

// An ordinary day: through three doors in the morning, out for lunch, home at six.
var ordinary = []Event{
	{Key: Key{1}, Time: 9 * hour, Party: 1, Method: 1, Zone: 2},
	{Key: Key{2}, Time: 9*hour + minute, Party: 1, Method: 1, Zone: 3},
	{Key: Key{3}, Time: 11 * hour, Kind: Touch},
	{Key: Key{4}, Time: 12 * hour, Kind: Departure, Method: 1},
	{Key: Key{5}, Time: 12*hour + 40*minute, Party: 1, Method: 1},
	{Key: Key{6}, Time: 18 * hour, Kind: Departure, Method: 1},
}

func TestFoldAllocatesTheResultAlone(t *testing.T) {
	tests := map[string]struct {
		events []Event
		most   float64
	}{
		"nothing":                    {nil, 0},
		"one visit":                  {ordinary[:4], 1},
		"one visit with a gap":       {ordinary, 2},
		"a hundred doors, one visit": {doors(100), 1},
		"four visits, as they come":  {[]Event{{Time: 1 * hour}, {Time: 6 * hour}, {Time: 11 * hour}, {Time: 16 * hour}}, 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := testing.AllocsPerRun(100, func() { Fold(plainDay, test.events) }); got > test.most {
				t.Errorf("%v allocations, want at most %v", got, test.most)
			}
		})
	}

	var visits []Visit
	again := func() { visits = FoldInto(visits, plainDay, ordinary[:4]).Visits }
	if got := testing.AllocsPerRun(100, again); got > 0 {
		t.Errorf("%v allocations into memory that is used again", got)
	}
}

// doors is a check-in each minute.
func doors(n int64) []Event {
	events := make([]Event, n)
	for i := range events {
		events[i] = Event{Key: Key{byte(i)}, Time: 8*hour + int64(i)*minute, Party: 1}
	}
	return events
}

func BenchmarkFold(b *testing.B) {
	b.Run("one check-in", func(b *testing.B) { benchmarkFold(b, ordinary[:1]) })
	b.Run("an ordinary day", func(b *testing.B) { benchmarkFold(b, ordinary) })
	b.Run("a hundred doors", func(b *testing.B) { benchmarkFold(b, doors(100)) })
}

func benchmarkFold(b *testing.B, events []Event) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		Fold(plainDay, events)
	}
}

func BenchmarkFoldInto(b *testing.B) {
	b.ReportAllocs()
	var visits []Visit
	for b.Loop() {
		visits = FoldInto(visits, plainDay, ordinary[:4]).Visits
	}
}

func BenchmarkAppend(b *testing.B) {
	b.ReportAllocs()
	var packed []byte
	for b.Loop() {
		packed = Append(packed[:0], ordinary)
	}
}

func BenchmarkDecode(b *testing.B) {
	b.ReportAllocs()
	packed := Append(nil, ordinary)
	for b.Loop() {
		if _, err := Decode(packed); err != nil {
			b.Fatal(err)
		}
	}
}
