package settings

import (
	"testing"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
)

func TestOpeningHoursAreRead(t *testing.T) {
	day := [2]string{"08:00", "18:00"}
	cases := map[string]struct {
		said string
		want Hours
	}{
		"working days":            {"mon-fri 08:00-18:00", Hours{"mon": day, "tue": day, "wed": day, "thu": day, "fri": day}},
		"one day":                 {"Sat 08:00-18:00", Hours{"sat": day}},
		"several parts":           {"mon-tue 08:00-18:00, sun 10:00-12:00", Hours{"mon": day, "tue": day, "sun": {"10:00", "12:00"}}},
		"a range past Sunday":     {"sat-mon 08:00-18:00", Hours{"sat": day, "sun": day, "mon": day}},
		"every day, around clock": {"daily 00:00-24:00", Hours{"mon": {"00:00", "24:00"}, "tue": {"00:00", "24:00"}, "wed": {"00:00", "24:00"}, "thu": {"00:00", "24:00"}, "fri": {"00:00", "24:00"}, "sat": {"00:00", "24:00"}, "sun": {"00:00", "24:00"}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var got Hours
			if err := got.UnmarshalText([]byte(c.said)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOtherOpeningHoursAreRefused(t *testing.T) {
	for _, said := range []string{"", "mon-fri", "mon 8-18", "mun 08:00-18:00", "daily-sat 08:00-18:00", "mon 25:00-26:00", "mon-wed 08:00-09:00, tue 10:00-11:00", "mon 08:00-18:00,"} {
		t.Run(said, func(t *testing.T) {
			var got Hours
			if err := got.UnmarshalText([]byte(said)); fault.Of(err) != fault.Invalid {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func TestOpeningHoursAreWrittenAsTheyAreRead(t *testing.T) {
	cases := map[string]string{
		"equal days stand together": "mon-fri 08:00-18:00, sat 10:00-16:00",
		"others stand apart":        "mon 08:00-18:00, wed 08:00-18:00, thu-sun 09:00-24:00",
	}
	for name, said := range cases {
		t.Run(name, func(t *testing.T) {
			var hours Hours
			if err := hours.UnmarshalText([]byte(said)); err != nil {
				t.Fatal(err)
			}
			if got := Format(onCalendar(t, hours)); got != said {
				t.Errorf("%q, want %q", got, said)
			}
		})
	}
	if got := Format(calendar.Hours{}); got != "never" {
		t.Errorf("no hours at all: %q", got)
	}
}

// onCalendar is hours as a calendar has them.
func onCalendar(t *testing.T, hours Hours) calendar.Hours {
	t.Helper()
	on := calendar.Hours{}
	for at, day := range weekdays {
		span, is := hours[day]
		if !is {
			continue
		}
		from, err := calendar.ParseClock(span[0])
		if err != nil {
			t.Fatal(err)
		}
		to, err := calendar.ParseClock(span[1])
		if err != nil {
			t.Fatal(err)
		}
		on[calendar.Date(4+at).Weekday()] = [2]time.Duration{from, to} // 1970-01-05 was a Monday
	}
	return on
}
