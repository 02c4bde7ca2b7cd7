package calendar

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWhenASpaceIsOpen(t *testing.T) {
	const h = time.Hour
	always := Hours{}
	for day := time.Sunday; day <= time.Saturday; day++ {
		always[day] = [2]time.Duration{0, 24 * h}
	}
	tests := map[string]struct {
		dayStart time.Duration
		hours    Hours
		closures []string
		date     string
		want     []string // Berlin's wall clock
		minutes  int
		isOpen   bool
	}{
		"hours of the weekday": {
			hours: Hours{time.Wednesday: {8 * h, 22 * h}},
			date:  "2026-07-01", want: []string{"01 08:00 to 01 22:00"}, minutes: 840, isOpen: true,
		},
		"a weekday without hours": {
			hours: Hours{time.Thursday: {8 * h, 22 * h}},
			date:  "2026-07-01",
		},
		"a closure": {
			hours: Hours{time.Wednesday: {8 * h, 22 * h}}, closures: []string{"2026-12-25", "2026-07-01"},
			date: "2026-07-01",
		},
		"nothing known: open all day": {
			date: "2026-07-01", want: []string{"01 00:00 to 02 00:00"}, minutes: 1440, isOpen: true,
		},
		"nothing known but a closure": {
			closures: []string{"2026-07-01"},
			date:     "2026-07-01",
		},
		"hours known, and none open": {
			hours: Hours{},
			date:  "2026-07-01",
		},
		"past midnight: the evening": {
			hours: Hours{time.Wednesday: {20 * h, 2 * h}},
			date:  "2026-07-01", want: []string{"01 20:00 to 02 00:00"}, minutes: 240, isOpen: true,
		},
		"past midnight: the morning after is no open day, but open": {
			hours: Hours{time.Wednesday: {20 * h, 2 * h}}, closures: []string{"2026-07-02"},
			date: "2026-07-02", want: []string{"02 00:00 to 02 02:00"}, minutes: 120,
		},
		"past midnight in a day that starts at five": {
			dayStart: 5 * h, hours: Hours{time.Wednesday: {20 * h, 2 * h}},
			date: "2026-07-01", want: []string{"01 20:00 to 02 02:00"}, minutes: 360, isOpen: true,
		},
		"hours before day_start count for the visit day before": {
			dayStart: 5 * h, hours: Hours{time.Wednesday: {4 * h, 20 * h}},
			date: "2026-06-30", want: []string{"01 04:00 to 01 05:00"}, minutes: 60,
		},
		"a night and a day apart": {
			hours: Hours{time.Tuesday: {20 * h, 2 * h}, time.Wednesday: {8 * h, 12 * h}},
			date:  "2026-07-01", want: []string{"01 00:00 to 01 02:00", "01 08:00 to 01 12:00"}, minutes: 360, isOpen: true,
		},
		"a night that runs into the day": {
			hours: Hours{time.Tuesday: {20 * h, 10 * h}, time.Wednesday: {8 * h, 12 * h}},
			date:  "2026-07-01", want: []string{"01 00:00 to 01 12:00"}, minutes: 720, isOpen: true,
		},
		"from eight to eight is a whole day": {
			hours: Hours{time.Wednesday: {8 * h, 8 * h}},
			date:  "2026-07-02", want: []string{"02 00:00 to 02 08:00"}, minutes: 480,
		},
		"always open on the day of 23 hours": {
			hours: always,
			date:  "2026-03-29", want: []string{"29 00:00 to 30 00:00"}, minutes: 23 * 60, isOpen: true,
		},
		"always open on the day of 25 hours": {
			hours: always,
			date:  "2026-10-25", want: []string{"25 00:00 to 26 00:00"}, minutes: 25 * 60, isOpen: true,
		},
		"nothing known on the day of 25 hours": {
			date: "2026-10-25", want: []string{"25 00:00 to 26 00:00"}, minutes: 25 * 60, isOpen: true,
		},
		"the night that loses an hour": {
			hours: Hours{time.Saturday: {22 * h, 6 * h}},
			date:  "2026-03-29", want: []string{"29 00:00 to 29 06:00"}, minutes: 5 * 60,
		},
		"opening at a time that the clocks skip": {
			hours: Hours{time.Sunday: {2*h + 30*time.Minute, 6 * h}},
			date:  "2026-03-29", want: []string{"29 03:00 to 29 06:00"}, minutes: 3 * 60, isOpen: true,
		},
	}
	berlin := zone(t, "Europe/Berlin")
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			change := Change{TimeZone: new("Europe/Berlin"), DayStart: &test.dayStart}
			if test.hours != nil {
				change.OpeningHours = &test.hours
			}
			var closures []Date
			for _, closure := range test.closures {
				closures = append(closures, date(t, closure))
			}
			change.Closures = &closures
			c := New([]Change{change})
			d := date(t, test.date)
			var got []string
			for _, open := range c.Open(d) {
				got = append(got, open.From.In(berlin).Format("02 15:04")+" to "+open.To.In(berlin).Format("02 15:04"))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := c.OpenMinutes(d); got != test.minutes {
				t.Errorf("%d minutes, want %d", got, test.minutes)
			}
			if got := c.IsOpen(d); got != test.isOpen {
				t.Errorf("an open day: %v", got)
			}
		})
	}
}

func TestHoursThatNewerSettingsOvertook(t *testing.T) {
	february := date(t, "2026-02-01")
	hours := Hours{}
	for day := time.Sunday; day <= time.Saturday; day++ {
		hours[day] = [2]time.Duration{9 * time.Hour, 18 * time.Hour}
	}
	c := New([]Change{
		{ID: "1", EffectiveFrom: new(date(t, "2026-01-01")), TimeZone: new("Pacific/Pago_Pago"), OpeningHours: &hours},
		{ID: "2", EffectiveFrom: &february, TimeZone: new("Pacific/Kiritimati")},
	})
	want := map[string]int{"2026-01-30": 540, "2026-01-31": 0, "2026-02-01": 540, "2026-02-02": 540}
	got := map[string]int{}
	for d := range want {
		got[d] = c.OpenMinutes(date(t, d))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("minutes open (-want +got):\n%s", diff)
	}
}
