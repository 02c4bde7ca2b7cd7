//nolint:dupword // a drawing says i as often as somebody comes in
package visit

import (
	"testing"
	"time"

	"coworking/pkg/calendar"
)

// Days as calendars make them. The hours of these drawings are those of UTC,
// counted on from the hour the day begins in.

// dayOf is a visit day in Berlin.
func dayOf(t *testing.T, date string, dayStart time.Duration) Day {
	t.Helper()
	zone := "Europe/Berlin"
	c := calendar.New([]calendar.Change{{TimeZone: &zone, DayStart: &dayStart}})
	d, err := calendar.ParseDate(date)
	if err != nil {
		t.Fatal(err)
	}
	start, end := c.Span(d)
	return Day{Start: start, End: end, DefaultStay: int64(c.On(d).DefaultStay / time.Microsecond)}
}

// fromMidnight is a day on drawings' own time, whose first column is an hour of
// the UTC date that the day begins on.
func fromMidnight(d Day) Day {
	midnight := d.Start - d.Start%(24*hour)
	return Day{Start: d.Start - midnight, End: d.End - midnight, DefaultStay: d.DefaultStay}
}

func TestTheNightThatLosesAnHour(t *testing.T) {
	day := fromMidnight(dayOf(t, "2026-03-29", 0)) // 00:00 +01:00 until 24:00 +02:00
	if got := day.End - day.Start; got != 23*hour {
		t.Fatalf("the day has %d minutes", got/minute)
	}
	t.Run("who dances through it stays an hour less than the clocks say", func(t *testing.T) {
		u := expectDrawn(t, day, `
			23  24  25  26  27
			  i           o
			  [===========)
		`, 1) // 00:30 +01:00 until 04:30 +02:00
		if u.Visits[0].Dwell() != 3*hour {
			t.Errorf("dwell is %d minutes", u.Visits[0].Dwell()/minute)
		}
	})
	t.Run("the evening is cut off where the day ends, after 23 hours", func(t *testing.T) {
		expectDrawn(t, day, `
			42  43  44  45  46
			    i
			    [===========|
		`, 1) // 21:00 until 24:00 +02:00
	})
}

func TestTheNightThatHasAnHourTwice(t *testing.T) {
	day := fromMidnight(dayOf(t, "2026-10-25", 0)) // 00:00 +02:00 until 24:00 +01:00
	if got := day.End - day.Start; got != 25*hour {
		t.Fatalf("the day has %d minutes", got/minute)
	}
	t.Run("in at 02:30 and out at 02:45, the second time, is 75 minutes", func(t *testing.T) {
		u := expectDrawn(t, day, `
			22  23  24  25  26
			          i    o
			          [====)
		`, 1)
		if u.Visits[0].Dwell() != 75*minute {
			t.Errorf("dwell is %d minutes", u.Visits[0].Dwell()/minute)
		}
	})
	t.Run("out at 02:30 and in at 02:30, the second time, is a re-entry", func(t *testing.T) {
		expectDrawn(t, day, `
			22  23  24  25  26
			    i     o   i   o
			    [=====....====)
		`, 2)
	})
	t.Run("the evening is cut off where the day ends, after 25 hours", func(t *testing.T) {
		expectDrawn(t, day, `
			43  44  45  46  47
			    i
			    [===========|
		`, 1)
	})
}

func TestADayThatStartsAtFive(t *testing.T) {
	day := fromMidnight(dayOf(t, "2026-07-01", 5*time.Hour)) // 05:00 +02:00 until 05:00 +02:00
	t.Run("the night belongs to the day before", func(t *testing.T) {
		expectDrawn(t, day, `
			20  21  22  23  24  25  26  27
			i                    o
			[====================)
		`, 1) // 22:00 until 03:15
	})
	t.Run("who is still there at five is cut off", func(t *testing.T) {
		expectDrawn(t, day, `
			20  21  22  23  24  25  26  27
			i           i     i
			[===========================|
		`, 3)
	})
}

// Overnight in a space whose days begin at midnight: nothing crosses a unit.
func TestANightOverMidnightIsTwoUnits(t *testing.T) {
	t.Run("the evening is cut off at midnight", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			20  21  22  23  24
			        i
			        [=======|
		`, 1)
	})
	t.Run("the check-out after it is an orphan", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			00  01  02  03  04
			            x
		`)
	})
	t.Run("a door after it opens a visit of the new day", func(t *testing.T) {
		expectDrawn(t, plainDay, `
			00  01  02  03  04
			  i         o
			  [=========)
		`, 1)
	})
}
