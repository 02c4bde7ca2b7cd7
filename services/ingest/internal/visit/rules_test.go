//nolint:dupword // a drawing says i as often as somebody comes in
package visit

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The rules of semantics.md, chapter "Visit", one after the other. How to read
// the drawings is said in drawing_test.go.

func TestRule1ACheckinOpensAVisitOrTouchesTheOpenOne(t *testing.T) {
	t.Run("the first check-in opens a visit", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			08  09  10  11  12  13
			    i           o
			    [===========)
		`, 1)
	})
	t.Run("a token opens one as well", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			08  09  10  11  12  13
			    t           o
			    [===========)
		`, 1)
	})
	t.Run("a day of many doors is one visit of many check-ins", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			08  09  10  11  12  13  14  15  16  17  18
			i iit  i   i iiiii        i      i iii o
			[======================================)
		`, 16)
	})
	t.Run("each check-in that touches puts off the estimated end", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			08  09  10  11  12  13  14  15  16  17  18
			i              i           i
			[==========================================>
		`, 3)
	})
	t.Run("two doors at the same instant are one visit", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			08  09  10  11  12  13
			    i       o
			    i
			    [=======)
		`, 2)
	})
}

func TestRule2APresenceTouchesAnOpenVisitAndNeverOpensOne(t *testing.T) {
	t.Run("it puts off the estimated end", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			08  09  10  11  12  13  14  15  16  17
			i         p      p
			[================================>
		`, 1)
	})
	t.Run("before any visit it is counted, and that is all", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			08  09  10  11  12  13
			p   p   i       o
			        [=======)
		`, 1)
	})
	t.Run("after the check-out it is counted, and that is all", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			08  09  10  11  12  13
			i   o   p   p
			[===)
		`, 1)
	})
	t.Run("alone it makes no visit", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			08  09  10  11  12  13
			p   p       p
		`)
	})
}

func TestRule3ACheckoutClosesTheOpenVisitElseItIsAnOrphan(t *testing.T) {
	t.Run("it closes the open visit at its own time", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			08  09  10  11  12  13
			i      o
			[======)
		`, 1)
	})
	t.Run("before any visit it is an orphan", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			08  09  10  11  12  13
			x   i   o
			    [===)
		`, 1)
	})
	t.Run("after a check-out it is an orphan", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			08  09  10  11  12  13
			i   o   x  x     x
			[===)
		`, 1)
	})
	t.Run("a presence does not give an orphan a visit to close", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			08  09  10  11  12  13
			p   x   p   x
		`)
	})
	t.Run("one of two at the same instant is an orphan", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			08  09  10  11  12  13
			i   o
			    x
			[===)
		`, 1)
	})
	t.Run("a day of orphans alone has no visit", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			08  09  10  11  12  13
			    x       x
		`)
	})
}

func TestRule4ACheckinSoonAfterACheckoutReopensTheVisit(t *testing.T) {
	t.Run("lunch is one visit with a gap", func(t *testing.T) {
		u := expectDrawn(t, plainDay, `
			09  10  11  12  13  14  15  16  17  18
			i           o  i                  o
			[===========...===================)
		`, 2)
		if want := 8*hour + 30*minute - 45*minute; u.Visits[0].Dwell() != want {
			t.Errorf("dwell is %d minutes, want %d", u.Visits[0].Dwell()/minute, want/minute)
		}
	})
	t.Run("sixty minutes outside are still a re-entry", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			09  10  11  12  13  14  15  16
			i       o   i       o
			[=======....========)
		`, 2)
	})
	t.Run("more than sixty minutes are a new visit", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			09  10  11  12  13  14  15  16
			i       o    i      o
			[=======)    [======)
		`, 1, 1)
	})
	t.Run("each time outside is a gap of its own", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			09  10  11  12  13  14  15  16  17  18
			i   o i    o i i   o   i     o
			[===..=====..======....======)
		`, 5)
	})
	t.Run("who comes back and does not check out has an estimated end", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			09  10  11  12  13  14  15  16  17  18
			i           o  i
			[===========...================>
		`, 2)
	})
	t.Run("a presence re-opens nothing", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			09  10  11  12  13  14  15  16  17  18
			i           o p i    o
			[===========....=====)
		`, 2)
	})
	t.Run("an orphan between leaves the re-entry as it was", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			09  10  11  12  13  14  15  16  17  18
			i           o x i    o
			[===========....=====)
		`, 2)
	})
	t.Run("the sixty minutes are counted from the check-out, not from an orphan", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			09  10  11  12  13  14  15  16  17  18
			i           o  x  i  o
			[===========)     [==)
		`, 1, 1)
	})
	t.Run("an estimated end is no check-out to come back from", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			09  10  11  12  13  14  15  16  17  18
			i                 i  o
			[===============> [==)
		`, 1, 1)
	})
	t.Run("after a late check-out, too", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			09  10  11  12  13  14  15  16  17  18
			i                      o  i     o
			[======================...======)
		`, 2)
	})
	t.Run("out and in at the same instant is no gap", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			09  10  11  12  13  14  15  16  17  18
			i       o
			        i       o
			[===============)
		`, 2)
	})
}

func TestRule4EndsWithTheMicrosecond(t *testing.T) {
	tests := map[string]struct {
		back   int64
		visits int
	}{
		"sixty minutes to the microsecond are one visit": {10*hour + hour, 1},
		"a microsecond more makes two":                   {10*hour + hour + 1, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := Fold(plainDay, []Event{
				{Kind: Arrival, Time: 9 * hour},
				{Kind: Departure, Time: 10 * hour},
				{Kind: Arrival, Time: test.back},
			})
			if len(got.Visits) != test.visits {
				t.Errorf("%d visits, want %d", len(got.Visits), test.visits)
			}
		})
	}
}

func TestRule5WithoutACheckoutTheEndIsEstimated(t *testing.T) {
	t.Run("it is the default stay after the last touch", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			09  10  11  12  13  14  15  16
			i         p
			[=========================>
		`, 1)
	})
	t.Run("it is cut at the day's end", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			18  19  20  21  22  23  24
			i         i
			[=======================|
		`, 2)
	})
	t.Run("a stay that just reaches the day's end is cut off there", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			18  19  20  21  22  23  24
			        i
			        [===============|
		`, 1)
	})
	t.Run("one that ends 15 minutes before it is not", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			18  19  20  21  22  23  24
			       i
			       [===============>
		`, 1)
	})
	t.Run("a check-in after the estimated end opens a new visit", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			08  09  10  11  12  13  14  15  16  17  18
			i                      i           o
			[===============>      [===========)
		`, 1, 1)
	})
	t.Run("a check-in at the very end does so, too", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			08  09  10  11  12  13  14  15  16  17  18
			i               i     o
			[===============>
			                [=====)
		`, 1, 1)
	})
	t.Run("a check-in just before the end still touches", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			08  09  10  11  12  13  14  15  16  17  18  19
			i              i
			[==============================>
		`, 2)
	})
	t.Run("a presence after the end opens none, nor at the very end", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			08  09  10  11  12  13  14  15  16  17  18
			i               p   p
			[===============>
		`, 1)
	})
	t.Run("in at 9 and out at 18 is nine measured hours", func(t *testing.T) {
		u := expectDrawn(t, plainDay, `
			09  10  11  12  13  14  15  16  17  18
			i                                   o
			[===================================)
		`, 1)
		if u.Visits[0].Dwell() != 9*hour {
			t.Errorf("dwell is %d minutes", u.Visits[0].Dwell()/minute)
		}
	})
	t.Run("a late check-out measures, whatever presence came before it", func(t *testing.T) {
		u := expectDrawn(t, plainDay, `
			09  10  11  12  13  14  15  16  17  18
			i                       p     p     o
			[===================================)
		`, 1)
		if u.Visits[0].Dwell() != 9*hour {
			t.Errorf("dwell is %d minutes", u.Visits[0].Dwell()/minute)
		}
	})
	t.Run("a check-out at the very estimated end measures it", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			09  10  11  12  13  14  15  16  17  18
			i               o
			[===============)
		`, 1)
	})
	t.Run("a late check-out closes the last visit alone", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			05  06  07  08  09  10  11  12  13  14  15  16  17  18  19  20
			i                    i                                  o  x
			[===============>    [==================================)
		`, 1, 1)
	})
}

func TestRule6And7WhatTheOpeningEventSaysHolds(t *testing.T) {
	// 09  10  11  12  13  14  15
	// i   i       o i         o
	// [===========..==========)
	opening := Event{Key: Key{1}, Kind: Arrival, Time: 9 * hour, Party: 3, Method: 1, Zone: 2, Plan: 3, Team: 4}
	got := Fold(plainDay, []Event{
		opening,
		{Key: Key{2}, Kind: Arrival, Time: 10 * hour, Party: 7, Method: 11, Zone: 12, Plan: 13, Team: 14},
		{Key: Key{3}, Kind: Departure, Time: 12 * hour, Method: 21, Zone: 22},
		{Key: Key{4}, Kind: Arrival, Time: 12*hour + 30*minute, Party: 9, Method: 31, Zone: 32, Plan: 33, Team: 34},
		{Key: Key{5}, Kind: Departure, Time: 15 * hour},
	})
	want := Unit{
		Visits: []Visit{{
			In: 9 * hour, Out: 15 * hour, End: Explicit,
			Checkins: 3, Party: 3,
			Gaps:      []Gap{{From: 12 * hour, To: 12*hour + 30*minute}},
			LastTouch: 12*hour + 30*minute,
			Method:    1, Zone: 2, Plan: 3, Team: 4,
		}},
		Checkins: 3,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRule8AnAnonymousEventIsAUnitOfItsOwn(t *testing.T) {
	t.Run("a check-in is a visit with an estimated end", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			09  10  11  12  13  14
			i
			[===============>
		`, 1)
	})
	t.Run("a check-out is an orphan", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			09  10  11  12  13  14
			      x
		`)
	})
	t.Run("a presence is counted, and that is all", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			09  10  11  12  13  14
			      p
		`)
	})
}

func TestRule9AVoidedEventIsAsIfItHadNeverBeenSent(t *testing.T) {
	// 09  10  11  12  13  14  15  16  17  18
	// i           o i                     o
	// [===========..======================)
	// and without the check-out at noon
	// [===================================)
	events := []Event{
		{Key: Key{1}, Kind: Arrival, Time: 9 * hour},
		{Key: Key{2}, Kind: Departure, Time: 12 * hour},
		{Key: Key{3}, Kind: Arrival, Time: 12*hour + 30*minute},
		{Key: Key{4}, Kind: Departure, Time: 18 * hour},
	}
	want := Fold(plainDay, []Event{events[0], events[2], events[3]})
	if diff := cmp.Diff(want, Fold(plainDay, Remove(events, Key{2}))); diff != "" {
		t.Errorf("(-never sent +voided):\n%s", diff)
	}
}

func TestNoEventsMakeNothing(t *testing.T) {
	if diff := cmp.Diff(Unit{}, Fold(plainDay, nil)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheLastTouchIsWhatLastFoundTheVisitOpen(t *testing.T) {
	tests := map[string]struct {
		drawing string
		want    int64
	}{
		"a check-in": {`
			09  10  11  12
			i   i
		`, 10 * hour},
		"a presence": {`
			09  10  11  12
			i   p
		`, 10 * hour},
		"a check-in that re-opened it": {`
			09  10  11  12
			i   o i
		`, 10*hour + 30*minute},
		"no presence after the estimated end": {`
			09  10  11  12  13  14
			i   p                   p
		`, 10 * hour},
		"no check-out": {`
			09  10  11  12
			i   i   o
		`, 10 * hour},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := Fold(plainDay, parseDrawing(t, test.drawing).events)
			if got.Visits[0].LastTouch != test.want {
				t.Errorf("it is minute %d, want %d", got.Visits[0].LastTouch/minute, test.want/minute)
			}
		})
	}
}
