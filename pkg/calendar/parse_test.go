package calendar

import (
	"testing"
	"time"

	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
)

func TestWhatAnEventSaysOfASpace(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		data string
		want Change
	}{
		"everything": {
			`{"space":"mitte","name":"Mitte","time_zone":"Europe/Berlin","capacity":80,"day_start":"05:00","default_stay":"3h30m",
			  "opening_hours":{"mon":["08:00","22:00"],"sat":["20:00","02:00"],"sun":["00:00","24:00"]},
			  "closures":["2026-12-25"],"effective_from":"2026-04-01"}`,
			Change{
				Name: new("Mitte"), TimeZone: new("Europe/Berlin"), Capacity: new(80),
				DayStart: new(5 * time.Hour), DefaultStay: new(3*time.Hour + 30*time.Minute),
				OpeningHours: &Hours{
					time.Monday:   {8 * time.Hour, 22 * time.Hour},
					time.Saturday: {20 * time.Hour, 2 * time.Hour},
					time.Sunday:   {0, 24 * time.Hour},
				},
				Closures:      &[]Date{date(t, "2026-12-25")},
				EffectiveFrom: new(date(t, "2026-04-01")),
			},
		},
		"a zone that nobody knows is New's to pass over": {`{"time_zone":"+01:00"}`, Change{TimeZone: new("+01:00")}},
		"nothing":                      {`{"space":"mitte"}`, Change{}},
		"no hours are hours, all shut": {`{"opening_hours":{}}`, Change{OpeningHours: &Hours{}}},
		"no closures are closures":     {`{"closures":[]}`, Change{Closures: &[]Date{}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.want.Time, test.want.Source, test.want.ID = at, "office", "17"
			got, err := ParseChange(at, "office", "17", []byte(test.data))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatCannotBeSaidOfASpace(t *testing.T) {
	tests := map[string]struct{ data, code, pointer string }{
		"no JSON":                    {`{`, "invalid_field", "/data"},
		"a number of seats in words": {`{"capacity":"many"}`, "invalid_field", "/data"},
		"a day_start of 05:20":       {`{"day_start":"05:20"}`, "invalid_field", "/data/day_start"},
		"a day_start of 24:00":       {`{"day_start":"24:00"}`, "invalid_field", "/data/day_start"},
		"a day_start of 5:00":        {`{"day_start":"5:00"}`, "invalid_field", "/data/day_start"},
		"no stay at all":             {`{"default_stay":"0h"}`, "invalid_field", "/data/default_stay"},
		"a stay of two days":         {`{"default_stay":"48h"}`, "invalid_field", "/data/default_stay"},
		"a stay without a unit":      {`{"default_stay":"4"}`, "invalid_field", "/data/default_stay"},
		"hours of a feast day":       {`{"opening_hours":{"xmas":["08:00","22:00"]}}`, "invalid_field", "/data/opening_hours/xmas"},
		"opening at 25:00":           {`{"opening_hours":{"mon":["25:00","26:00"]}}`, "invalid_field", "/data/opening_hours/mon/0"},
		"closing at 8 pm":            {`{"opening_hours":{"mon":["08:00","8 pm"]}}`, "invalid_field", "/data/opening_hours/mon/1"},
		"a closure that is no day":   {`{"closures":["2026-02-30"]}`, "invalid_field", "/data"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ParseChange(time.Time{}, "", "", []byte(test.data))
			if fault.Of(err) != fault.Invalid || fault.Code(err) != test.code || fault.Pointer(err) != test.pointer {
				t.Errorf("got %v, code %q at %q, want %q at %q", err, fault.Code(err), fault.Pointer(err), test.code, test.pointer)
			}
		})
	}
}
