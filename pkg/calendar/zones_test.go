package calendar

import (
	"testing"
	"time"

	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
)

// The years that events may lie in and plans reach to.
var (
	sweepFrom = DateOf(time.Date(1973, 1, 1, 0, 0, 0, 0, time.UTC))
	sweepTo   = DateOf(time.Date(2041, 1, 1, 0, 0, 0, 0, time.UTC))
)

// distinct is one name of each set of rules: most zones have several.
func distinct(t *testing.T) []string {
	t.Helper()
	type rules struct {
		crc  uint32
		size uint64
	}
	seen := map[rules]bool{}
	var names []string
	for _, file := range archive().File {
		r := rules{file.CRC32, file.UncompressedSize64}
		if !file.Mode().IsDir() && !seen[r] {
			seen[r] = true
			names = append(names, file.Name)
		}
	}
	if len(names) < 300 {
		t.Fatalf("only %d sets of rules", len(names))
	}
	return names
}

func TestEveryZoneHasSoundDays(t *testing.T) {
	for _, name := range distinct(t) {
		for _, dayStart := range []time.Duration{0, 5 * time.Hour} {
			checkZone(t, name, dayStart)
		}
	}
}

// checkZone looks at the days of a zone: on the raster, one after the other, as
// promised, and found again by their instants. Far from any change of its clocks
// it is content that days have 24 hours.
func checkZone(t *testing.T, name string, dayStart time.Duration) {
	t.Helper()
	z := zone(t, name)
	c := New([]Change{{TimeZone: &name, DayStart: &dayStart}})
	for d := sweepFrom; d < sweepTo; d++ {
		start, end := c.Span(d)
		promised := int64(d)*secondsPerDay + int64(dayStart/time.Second)
		switch {
		case start%slot.Microseconds() != 0:
			t.Fatalf("%s: %v begins off the raster, %s", name, d, span(c, d))
		case start > end:
			t.Fatalf("%s: %v ends before it begins, %s", name, d, span(c, d))
		case start < end && (c.DayAt(start) != d || c.DayAt(end-1) != d):
			t.Fatalf("%s: %v is not found by its first and last instant, %s", name, d, span(c, d))
		case reading(z, start) < promised:
			t.Fatalf("%s: %v begins too early, %s", name, d, span(c, d))
		}
		for at := start - 26*int64(time.Hour/time.Microsecond); at < start; at += slot.Microseconds() {
			if reading(z, at) >= promised {
				t.Fatalf("%s: %v could begin earlier, %s", name, d, span(c, d))
			}
		}
		if calm := calmUntil(z, d); calm > d+1 {
			if begins := c.begin(calm); begins != end+int64(calm-d-1)*microsPerDay {
				t.Fatalf("%s: days from %v to %v have not 24 hours", name, d, calm)
			}
			d = calm - 1
		}
	}
}

// reading is what a wall clock shows at an instant in microseconds, as seconds
// since 1970 in UTC.
func reading(z *time.Location, micros int64) int64 {
	at := time.UnixMicro(micros)
	_, offset := at.In(z).Zone()
	return at.Unix() + int64(offset)
}

func offRaster(z *time.Location, d Date, dayStart time.Duration) bool {
	return firstAt(z, int64(d)*secondsPerDay+int64(dayStart/time.Second))%secondsPerSlot != 0
}

// calmUntil is a date before which a zone's clock surely keeps an offset that is
// on the raster, or d or less: then d deserves a look.
func calmUntil(z *time.Location, d Date) Date {
	at := (d - 1).Time().In(z)
	if _, offset := at.Zone(); int64(offset)%secondsPerSlot != 0 {
		return d
	}
	return Date(min(nextChange(at)/secondsPerDay, int64(sweepTo))) - 2
}

// Where the days of history are not on the raster by themselves, each zone with
// the first and last such date: this is all that rounding ever does.
func TestWhereADayIsRoundedToTheNextQuarterOfAnHour(t *testing.T) {
	tests := map[string]struct {
		dayStart time.Duration
		want     map[string]string
	}{
		"with midnight days: an offset of −10:40": {0, map[string]string{
			"Pacific/Kiritimati": "1973-01-01 to 1979-10-01",
		}},
		"with days from a quarter past: also clocks that jump at 00:01": {slot, map[string]string{
			"America/Goose_Bay":  "1987-04-05 to 2011-03-13",
			"America/Moncton":    "1993-04-04 to 2006-04-02",
			"America/St_Johns":   "1987-04-05 to 2011-03-13",
			"Antarctica/Casey":   "2020-10-04 to 2022-10-02",
			"Asia/Gaza":          "2010-03-27 to 2011-04-01",
			"Asia/Hebron":        "2011-04-01 to 2011-04-01",
			"Pacific/Kiritimati": "1973-01-01 to 1979-10-01",
		}},
		"with days from five": {5 * time.Hour, map[string]string{
			"Pacific/Kiritimati": "1973-01-01 to 1979-09-30",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := map[string]string{}
			for _, name := range distinct(t) {
				z := zone(t, name)
				var first, last Date
				for d := sweepFrom; d < sweepTo; d = max(d+1, calmUntil(z, d)) {
					if !offRaster(z, d, test.dayStart) {
						continue
					}
					if first == 0 {
						first = d
					}
					last = d
				}
				if first != 0 {
					got[name] = first.String() + " to " + last.String()
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnlyNamesOfZonesAreZones(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "UTC", "America/Argentina/Ushuaia", "Asia/Kathmandu"} {
		if z, err := LoadZone(name); err != nil || z.String() != name {
			t.Errorf("%s: %v, %v", name, z, err)
		}
	}
	for _, name := range []string{"", "Local", "local", "+01:00", "UTC+1", "europe/berlin", "Europe", "Europe/", "../etc/passwd", "Mars/Olympus"} {
		z, err := LoadZone(name)
		if z != nil || fault.Of(err) != fault.Invalid || fault.Code(err) != "invalid_time_zone" {
			t.Errorf("%q: %v, %v", name, z, err)
		}
	}
}

// https://go.dev/issue/81583 made the last day of a leap year a trap: a search
// for the next change went round in circles there.
func TestTheLastDayOfALeapYearHasAnEnd(t *testing.T) {
	berlin := Midnights(zone(t, "Europe/Berlin"))
	if diff := cmp.Diff("2040-12-30 23:00 to 2040-12-31 23:00", span(berlin, date(t, "2040-12-31"))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
