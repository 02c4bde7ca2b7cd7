package calendar

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestWhichWordHoldsOnADate(t *testing.T) {
	march, may := date(t, "2026-03-01"), date(t, "2026-05-01")
	said := func(day int) time.Time { return time.Date(2026, 1, day, 12, 0, 0, 0, time.UTC) }
	tests := map[string]struct {
		changes []Change
		want    map[string]string // date to name
	}{
		"nobody said anything": {
			nil,
			map[string]string{"2026-04-01": ""},
		},
		"the earliest word holds from the beginning": {
			[]Change{{Time: said(1), EffectiveFrom: &march, Name: new("March")}},
			map[string]string{"1980-01-01": "March", "2026-04-01": "March"},
		},
		"a later word holds from its date on": {
			[]Change{
				{Time: said(1), EffectiveFrom: &march, Name: new("March")},
				{Time: said(2), EffectiveFrom: &may, Name: new("May")},
			},
			map[string]string{"2026-04-30": "March", "2026-05-01": "May", "2040-01-01": "May"},
		},
		"the later date holds, also if it was said before": {
			[]Change{
				{Time: said(2), EffectiveFrom: &march, Name: new("March")},
				{Time: said(1), EffectiveFrom: &may, Name: new("May")},
			},
			map[string]string{"2026-04-30": "March", "2026-05-01": "May"},
		},
		"of two for one date the last one said": {
			[]Change{
				{Time: said(2), EffectiveFrom: &march, Name: new("second")},
				{Time: said(1), EffectiveFrom: &march, Name: new("first")},
			},
			map[string]string{"2020-01-01": "second", "2026-03-01": "second"},
		},
		"said at once, source and id decide": {
			[]Change{
				{Time: said(1), Source: "b", ID: "1", EffectiveFrom: &march, Name: new("b1")},
				{Time: said(1), Source: "a", ID: "9", EffectiveFrom: &march, Name: new("a9")},
				{Time: said(1), Source: "b", ID: "0", EffectiveFrom: &march, Name: new("b0")},
			},
			map[string]string{"2026-03-01": "b1"},
		},
		"what a word does not name stays": {
			[]Change{
				{Time: said(1), EffectiveFrom: &march, Name: new("March")},
				{Time: said(2), EffectiveFrom: &may, Capacity: new(10)},
			},
			map[string]string{"2026-05-01": "March"},
		},
		"without a date it holds from the date it was said on": {
			[]Change{
				{Time: said(1), Name: new("first")},
				{Time: said(3), Name: new("third")},
			},
			map[string]string{"2026-01-02": "first", "2026-01-03": "third"},
		},
		"that date is one of the zone it names": {
			[]Change{
				{Time: said(1), Name: new("first")},
				{Time: said(3), TimeZone: new("Pacific/Kiritimati"), Name: new("third")}, // the 4th there
			},
			map[string]string{"2026-01-03": "first", "2026-01-04": "third"},
		},
		"or of the zone that was said before": {
			[]Change{
				{Time: said(1), TimeZone: new("Pacific/Kiritimati"), Name: new("first")},
				{Time: said(3), Name: new("third")},
			},
			map[string]string{"2026-01-03": "first", "2026-01-04": "third"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := New(test.changes)
			got := map[string]string{}
			for d := range test.want {
				got[d] = c.On(date(t, d)).Name
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestASpaceThatNobodyDescribed(t *testing.T) {
	got := New(nil).On(date(t, "2026-03-01"))
	if got.Configured || got.Zone != time.UTC || got.DayStart != 0 || got.DefaultStay != 4*time.Hour || got.Capacity != 0 {
		t.Errorf("%+v", got)
	}
	if !New([]Change{{TimeZone: new("UTC")}}).On(0).Configured {
		t.Error("a zone was named, yet it is no configured space")
	}
	if New([]Change{{Name: new("Mitte")}}).On(0).Configured {
		t.Error("no zone was named, yet it is a configured space")
	}
}

func TestWordsThatCannotBeMeantAreNotHeard(t *testing.T) {
	got := New([]Change{{
		TimeZone:    new("Mars/Olympus"),
		DayStart:    new(20 * time.Minute),
		DefaultStay: new(time.Duration(0)),
	}}).On(0)
	if got.Configured || got.Zone != time.UTC || got.DayStart != 0 || got.DefaultStay != 4*time.Hour {
		t.Errorf("%+v", got)
	}
}

// changes is what may have been said of a space, much of it for the same dates.
func changes() *rapid.Generator[[]Change] {
	zones := []string{
		"UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Pacific/Kiritimati",
		"Pacific/Pago_Pago", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Chatham",
	}
	base := DateOf(time.Date(2011, 12, 20, 0, 0, 0, 0, time.UTC))
	one := rapid.Custom(func(t *rapid.T) Change {
		c := Change{
			Time:   base.Time().Add(time.Duration(rapid.IntRange(0, 20*24).Draw(t, "hour")) * time.Hour),
			Source: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "source"),
		}
		if rapid.Bool().Draw(t, "dated") {
			c.EffectiveFrom = new(base + Date(rapid.IntRange(0, 20).Draw(t, "from")))
		}
		if rapid.Bool().Draw(t, "zoned") {
			c.TimeZone = new(rapid.SampledFrom(zones).Draw(t, "zone"))
		}
		if rapid.Bool().Draw(t, "started") {
			c.DayStart = new(time.Duration(rapid.IntRange(0, 95).Draw(t, "start")) * slot)
		}
		if rapid.Bool().Draw(t, "counted") {
			c.Capacity = new(rapid.IntRange(1, 100).Draw(t, "capacity"))
		}
		return c
	})
	return rapid.Custom(func(t *rapid.T) []Change {
		all := rapid.SliceOfN(one, 0, 6).Draw(t, "changes")
		for i := range all {
			all[i].ID = string(rune('a' + i)) // never twice the same (time, source, id)
		}
		return all
	})
}

func TestACalendarIsAFunctionOfTheSetOfChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := changes().Draw(t, "all")
		c := New(all)
		shuffled := slices.Clone(all)
		shuffle := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "shuffle"), 0))
		shuffle.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		again := New(shuffled)
		if changed := Changed(c, again, 15_300, 15_400); len(changed) > 0 {
			t.Errorf("in another order %v differ", changed)
		}
		for d := Date(15_300); d < 15_400; d++ {
			if c.On(d).Capacity != again.On(d).Capacity {
				t.Errorf("in another order %v has other seats", d)
			}
		}
	})
}

func TestDaysFollowEachOtherWhateverIsSaid(t *testing.T) {
	const longest = int64(76 * time.Hour / time.Microsecond)
	rapid.Check(t, func(t *rapid.T) {
		c := New(changes().Draw(t, "all"))
		_, end := c.Span(15_299)
		for d := Date(15_300); d < 15_400; d++ {
			start, next := c.Span(d)
			switch {
			case start != end:
				t.Fatalf("%v does not begin where the day before it ends: %s", d, span(c, d))
			case next < start || next-start > longest:
				t.Fatalf("%v is too long or too short: %s", d, span(c, d))
			case start%slot.Microseconds() != 0:
				t.Fatalf("%v begins off the raster: %s", d, span(c, d))
			case start < next && (c.DayAt(start) != d || c.DayAt(next-1) != d || c.dayOutside(start) != d || c.dayOutside(next-1) != d):
				t.Fatalf("%v is not found by its instants: %s", d, span(c, d))
			case start != c.start(d):
				t.Fatalf("%v begins elsewhere in the table: %s", d, span(c, d))
			}
			end = next
		}
	})
}

// The oracle asks for each date and field anew which word is the one that holds.
func TestSettingsAgreeWithAnOracleThatAsksForEachDate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := changes().Draw(t, "all")
		c := New(all)
		words := dated(all)
		for d := Date(15_320); d < 15_360; d++ {
			holds := -1
			for i, w := range words {
				if w.Capacity == nil {
					continue
				}
				switch {
				case holds < 0:
					holds = i
				case w.from <= d && (words[holds].from > d || w.from >= words[holds].from):
					holds = i // words come in the order they were said
				case words[holds].from > d && w.from <= words[holds].from:
					holds = i
				}
			}
			want := 0
			if holds >= 0 {
				want = *words[holds].Capacity
			}
			if got := c.On(d).Capacity; got != want {
				t.Fatalf("%v has %d seats, want %d", d, got, want)
			}
		}
	})
}
