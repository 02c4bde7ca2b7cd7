package slots

import (
	"testing"

	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const (
	minute = int64(60_000_000)
	hour   = 60 * minute
)

// plainDay has 24 hours from midnight.
var plainDay = Span{Start: 0, End: 24 * hour}

func TestWhatAVisitCountsFor(t *testing.T) {
	tests := map[string]struct {
		visit Visit
		want  Day
	}{
		"a quarter of an hour that fills a slot": {
			Visit{In: 15 * minute, Out: 30 * minute, Party: 1, Explicit: true},
			Day{
				Arrivals:           []int64{0, 1},
				DeparturesExplicit: []int64{0, 0, 1}, // at 00:30, that is in the slot that begins there
				Presence:           []int64{0, 15 * minute},
			},
		},
		"a minute on each side of a slot's end": {
			Visit{In: 14 * minute, Out: 16 * minute, Party: 1, Explicit: true},
			Day{
				Arrivals:           []int64{1},
				DeparturesExplicit: []int64{0, 1},
				Presence:           []int64{minute, minute},
			},
		},
		"in and out within a microsecond": {
			Visit{In: 5, Out: 6, Party: 1, Explicit: true},
			Day{Arrivals: []int64{1}, DeparturesExplicit: []int64{1}, Presence: []int64{1}},
		},
		"in and out at once": {
			Visit{In: 5, Out: 5, Party: 1, Explicit: true},
			Day{Arrivals: []int64{1}, DeparturesExplicit: []int64{1}},
		},
		"three who came together are one arrival, and three times present": {
			Visit{In: 0, Out: 10 * minute, Party: 3, Explicit: true},
			Day{Arrivals: []int64{1}, DeparturesExplicit: []int64{1}, Presence: []int64{30 * minute}},
		},
		"an end that was inferred": {
			Visit{In: 0, Out: 10 * minute, Party: 1},
			Day{Arrivals: []int64{1}, DeparturesEstimated: []int64{1}, Presence: []int64{10 * minute}},
		},
		"somebody without a name": {
			Visit{In: 0, Out: 10 * minute, Party: 1, Anonymous: true},
			Day{Arrivals: []int64{1}, Anonymous: []int64{1}, DeparturesEstimated: []int64{1}, Presence: []int64{10 * minute}},
		},
		"outside twice within a slot": {
			Visit{In: 0, Out: 20 * minute, Party: 2, Explicit: true, Away: []Away{{2 * minute, 4 * minute}, {6 * minute, 7 * minute}}},
			Day{Arrivals: []int64{1}, DeparturesExplicit: []int64{0, 1}, Presence: []int64{24 * minute, 10 * minute}},
		},
		"outside for whole slots": {
			Visit{In: 0, Out: 60 * minute, Party: 1, Explicit: true, Away: []Away{{10 * minute, 50 * minute}}},
			Day{
				Arrivals:           []int64{1},
				DeparturesExplicit: []int64{0, 0, 0, 0, 1},
				Presence:           []int64{10 * minute, 0, 0, 10 * minute},
			},
		},
		"cut off at the day's end: in the last slot": {
			Visit{In: 24*hour - 20*minute, Out: 24 * hour, Party: 1},
			Day{
				Arrivals:            append(make([]int64, 94), 1),
				DeparturesEstimated: append(make([]int64, 95), 1),
				Presence:            append(make([]int64, 94), 5*minute, 15*minute),
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got Day
			got.AddVisit(plainDay, test.visit)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err := got.SubVisit(plainDay, test.visit); err != nil || got.Len() > 0 {
				t.Errorf("taken away it leaves %+v, %v", got, err)
			}
		})
	}
}

func TestSlotsBeginWhereTheDayBegins(t *testing.T) {
	kathmandu := Span{Start: 18*hour + 15*minute, End: 42*hour + 15*minute} // in UTC
	var got Day
	got.AddCheckin(kathmandu, kathmandu.Start)
	got.AddCheckin(kathmandu, kathmandu.Start+15*minute-1)
	got.AddFailed(kathmandu, kathmandu.Start+15*minute)
	got.AddCheckin(kathmandu, kathmandu.End-1)
	want := Day{Checkins: append([]int64{2}, append(make([]int64, 94), 1)...), Failed: []int64{0, 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if kathmandu.Len() != 96 {
		t.Errorf("the day has %d slots", kathmandu.Len())
	}
}

func TestWhatWasNeverAddedCannotBeTakenAway(t *testing.T) {
	visit := Visit{In: hour, Out: 2 * hour, Party: 2, Explicit: true}
	var day Day
	day.AddVisit(plainDay, visit)
	day.AddCheckin(plainDay, hour)

	longer, larger, estimated, anonymous := visit, visit, visit, visit
	longer.Out += minute
	larger.Party = 3
	estimated.Explicit = false
	anonymous.Anonymous = true
	tests := map[string]func(d *Day) error{
		"a longer visit":            func(d *Day) error { return d.SubVisit(plainDay, longer) },
		"a larger party":            func(d *Day) error { return d.SubVisit(plainDay, larger) },
		"a visit that was inferred": func(d *Day) error { return d.SubVisit(plainDay, estimated) },
		"a visit without a name":    func(d *Day) error { return d.SubVisit(plainDay, anonymous) },
		"a check-in elsewhere":      func(d *Day) error { return d.SubCheckin(plainDay, 2*hour) },
		"a refusal":                 func(d *Day) error { return d.SubFailed(plainDay, hour) },
		"a busier day":              func(d *Day) error { return d.Sub(Day{Arrivals: []int64{0, 0, 0, 0, 1, 1}}) },
	}
	for name, subtract := range tests {
		t.Run(name, func(t *testing.T) {
			got := copyOf(&day)
			if err := subtract(got); fault.Of(err) != fault.Internal {
				t.Errorf("got %v", err)
			}
			if diff := cmp.Diff(&day, got); diff != "" {
				t.Errorf("the day changed (-want +got):\n%s", diff)
			}
		})
	}
}

func copyOf(d *Day) *Day {
	var c Day
	c.Add(*d)
	return &c
}

func TestSumsOfSlots(t *testing.T) {
	day := Day{
		Checkins: []int64{1, 2, 4}, Failed: []int64{8}, Arrivals: []int64{0, 16}, Anonymous: []int64{0, 0, 32},
		DeparturesExplicit: []int64{0, 64}, DeparturesEstimated: []int64{128}, Presence: []int64{0, 0, 256},
	}
	tests := map[string]struct {
		from, to int
		want     Counts
	}{
		"one slot":                {1, 2, Counts{Checkins: 2, Arrivals: 16, DeparturesExplicit: 64}},
		"all, and more than all":  {-5, 500, Counts{7, 8, 16, 32, 64, 128, 256}},
		"none":                    {1, 1, Counts{}},
		"behind the last":         {3, 9, Counts{}},
		"the wrong way round":     {2, 1, Counts{}},
		"before the first":        {-9, 0, Counts{}},
		"from behind to before 0": {500, -5, Counts{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, day.Sum(test.from, test.to)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// visits is stays on whole minutes, with up to three times outside.
func visits() *rapid.Generator[Visit] {
	return rapid.Custom(func(t *rapid.T) Visit {
		v := Visit{
			In:        rapid.Int64Range(0, 24*60-1).Draw(t, "in") * minute,
			Party:     rapid.Int64Range(1, 4).Draw(t, "party"),
			Explicit:  rapid.Bool().Draw(t, "explicit"),
			Anonymous: rapid.Bool().Draw(t, "anonymous"),
		}
		v.Out = v.In
		for range rapid.IntRange(0, 3).Draw(t, "outside") {
			from := min(v.Out+rapid.Int64Range(0, 200).Draw(t, "stay")*minute, plainDay.End-minute)
			v.Out = min(from+rapid.Int64Range(1, 60).Draw(t, "away")*minute, plainDay.End-minute)
			v.Away = append(v.Away, Away{From: from, To: v.Out})
		}
		v.Out = min(v.Out+rapid.Int64Range(0, 400).Draw(t, "last")*minute, plainDay.End)
		return v
	})
}

// The oracle counts minute by minute who is there.
func TestPresenceAgreesWithAnOracleThatCountsMinutes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(visits(), 0, 5).Draw(t, "visits")
		var got Day
		want := make([]int64, plainDay.Len())
		for _, v := range all {
			got.AddVisit(plainDay, v)
			for at := v.In; at < v.Out; at += minute {
				inside := min(minute, v.Out-at)
				for _, away := range v.Away {
					if at >= away.From && at < away.To {
						inside = 0
					}
				}
				want[at/(15*minute)] += v.Party * inside
			}
		}
		for slot, presence := range want {
			if have := got.Sum(slot, slot+1).Presence; have != presence {
				t.Fatalf("slot %d holds %d, want %d", slot, have, presence)
			}
		}
		sum := got.Sum(0, Max)
		if n := int64(len(all)); sum.Arrivals != n || sum.DeparturesExplicit+sum.DeparturesEstimated != n {
			t.Errorf("%d visits are %+v", n, sum)
		}
	})
}

func TestAddingAndTakingAwayLeavesNoTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var before, all, others Day
		for _, v := range rapid.SliceOfN(visits(), 0, 4).Draw(t, "before") {
			before.AddVisit(plainDay, v)
		}
		all.Add(before)
		for _, v := range rapid.SliceOfN(visits(), 1, 4).Draw(t, "others") {
			all.AddVisit(plainDay, v)
			others.AddVisit(plainDay, v)
		}
		if err := all.Sub(others); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before.Append(nil), all.Append(nil)); diff != "" {
			t.Errorf("(-before +after, packed):\n%s", diff)
		}
	})
}
