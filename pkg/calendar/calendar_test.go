package calendar

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func date(t *testing.T, s string) Date {
	t.Helper()
	d, err := ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// span is a visit day as tests write it, in UTC.
func span(c *Calendar, d Date) string {
	start, end := c.Bounds(d)
	return start.Format("2006-01-02 15:04") + " to " + end.Format("2006-01-02 15:04")
}

func TestWhenADayBeginsAndEnds(t *testing.T) {
	tests := map[string]struct {
		zone     string
		dayStart time.Duration
		date     string
		want     string // UTC
	}{
		"an ordinary day":                            {"Europe/Berlin", 0, "2026-07-01", "2026-06-30 22:00 to 2026-07-01 22:00"},
		"23 hours in spring":                         {"Europe/Berlin", 0, "2026-03-29", "2026-03-28 23:00 to 2026-03-29 22:00"},
		"25 hours in autumn":                         {"Europe/Berlin", 0, "2026-10-25", "2026-10-24 22:00 to 2026-10-25 23:00"},
		"the shift is the day's before day_start":    {"Europe/Berlin", 5 * time.Hour, "2026-03-28", "2026-03-28 04:00 to 2026-03-29 03:00"},
		"a day_start that the clocks skip":           {"Europe/Berlin", 150 * time.Minute, "2026-03-29", "2026-03-29 01:00 to 2026-03-30 00:30"},
		"the day before it":                          {"Europe/Berlin", 150 * time.Minute, "2026-03-28", "2026-03-28 01:30 to 2026-03-29 01:00"},
		"a day_start that comes twice":               {"Europe/Berlin", 150 * time.Minute, "2026-10-25", "2026-10-25 00:30 to 2026-10-26 01:30"},
		"daylight saving time that is said negative": {"Europe/Dublin", 0, "2026-03-29", "2026-03-29 00:00 to 2026-03-29 23:00"},
		"a midnight that the clocks skip":            {"America/Sao_Paulo", 0, "2018-11-04", "2018-11-04 03:00 to 2018-11-05 02:00"},
		"a last hour that comes twice":               {"America/Sao_Paulo", 0, "2019-02-16", "2019-02-16 02:00 to 2019-02-17 03:00"},
		"Beirut skips midnight":                      {"Asia/Beirut", 0, "2022-03-27", "2022-03-26 22:00 to 2022-03-27 21:00"},
		"Beirut repeats the last hour":               {"Asia/Beirut", 0, "2022-10-29", "2022-10-28 21:00 to 2022-10-29 22:00"},
		"Cairo skips midnight":                       {"Africa/Cairo", 0, "2023-04-28", "2023-04-27 22:00 to 2023-04-28 21:00"},
		"Cairo repeats the last hour":                {"Africa/Cairo", 0, "2023-10-26", "2023-10-25 21:00 to 2023-10-26 22:00"},
		"Ramadan begins in Casablanca":               {"Africa/Casablanca", 0, "2024-03-10", "2024-03-09 23:00 to 2024-03-11 00:00"},
		"Ramadan has ended in Casablanca":            {"Africa/Casablanca", 0, "2024-04-14", "2024-04-14 00:00 to 2024-04-14 23:00"},
		"half an hour more on Lord Howe":             {"Australia/Lord_Howe", 0, "2024-04-07", "2024-04-06 13:00 to 2024-04-07 13:30"},
		"half an hour less on Lord Howe":             {"Australia/Lord_Howe", 0, "2024-10-06", "2024-10-05 13:30 to 2024-10-06 13:00"},
		"a quarter of an hour in Kathmandu":          {"Asia/Kathmandu", 0, "2024-01-01", "2023-12-31 18:15 to 2024-01-01 18:15"},
		"the day it came to Kathmandu":               {"Asia/Kathmandu", 0, "1986-01-01", "1985-12-31 18:30 to 1986-01-01 18:15"},
		"45 minutes and autumn on Chatham":           {"Pacific/Chatham", 0, "2024-04-07", "2024-04-06 10:15 to 2024-04-07 11:15"},
		"45 minutes and spring on Chatham":           {"Pacific/Chatham", 0, "2024-09-29", "2024-09-28 11:15 to 2024-09-29 10:15"},
		"the day before the one Apia skipped":        {"Pacific/Apia", 0, "2011-12-29", "2011-12-29 10:00 to 2011-12-30 10:00"},
		"the day that Apia skipped":                  {"Pacific/Apia", 0, "2011-12-30", "2011-12-30 10:00 to 2011-12-30 10:00"},
		"the day after it":                           {"Pacific/Apia", 0, "2011-12-31", "2011-12-30 10:00 to 2011-12-31 10:00"},
		"the night before it, with a day_start":      {"Pacific/Apia", 5 * time.Hour, "2011-12-29", "2011-12-29 15:00 to 2011-12-30 10:00"},
		"the night after it, with a day_start":       {"Pacific/Apia", 5 * time.Hour, "2011-12-30", "2011-12-30 10:00 to 2011-12-30 15:00"},
		"an hour repeated at 00:01":                  {"America/St_Johns", 0, "2010-11-07", "2010-11-07 02:30 to 2010-11-08 03:30"},
		"a quarter skipped at 00:01, rounded up":     {"America/St_Johns", 15 * time.Minute, "2011-03-13", "2011-03-13 03:45 to 2011-03-14 02:45"},
		"an offset of ten hours forty, rounded up":   {"Pacific/Kiritimati", 0, "1979-01-01", "1979-01-01 10:45 to 1979-01-02 10:45"},
		"long ago":                           {"Europe/Berlin", 0, "1950-01-01", "1949-12-31 23:00 to 1950-01-01 23:00"},
		"the last year that the table holds": {"Europe/Berlin", 0, "2049-12-31", "2049-12-30 23:00 to 2049-12-31 23:00"},
		"far ahead":                          {"Europe/Berlin", 0, "2060-07-01", "2060-06-30 22:00 to 2060-07-01 22:00"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := New([]Change{{TimeZone: &test.zone, DayStart: &test.dayStart}})
			if diff := cmp.Diff(test.want, span(c, date(t, test.date))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNewSettingsCutOrStretchTheLastOldDay(t *testing.T) {
	type settings struct {
		from, zone string
		dayStart   time.Duration
	}
	tests := map[string]struct {
		settings []settings
		want     map[string]string // date to bounds in UTC
	}{
		"a zone further east cuts it": {
			[]settings{{"2026-01-01", "UTC", 0}, {"2026-02-01", "Europe/Berlin", 0}},
			map[string]string{
				"2026-01-30": "2026-01-30 00:00 to 2026-01-31 00:00",
				"2026-01-31": "2026-01-31 00:00 to 2026-01-31 23:00",
				"2026-02-01": "2026-01-31 23:00 to 2026-02-01 23:00",
			},
		},
		"a zone further west stretches it": {
			[]settings{{"2026-01-01", "UTC", 0}, {"2026-02-01", "America/New_York", 0}},
			map[string]string{
				"2026-01-31": "2026-01-31 00:00 to 2026-02-01 05:00",
				"2026-02-01": "2026-02-01 05:00 to 2026-02-02 05:00",
			},
		},
		"a later day_start stretches it": {
			[]settings{{"2026-01-01", "UTC", 0}, {"2026-02-01", "UTC", 5 * time.Hour}},
			map[string]string{
				"2026-01-31": "2026-01-31 00:00 to 2026-02-01 05:00",
				"2026-02-01": "2026-02-01 05:00 to 2026-02-02 05:00",
			},
		},
		"an earlier day_start cuts it": {
			[]settings{{"2026-01-01", "UTC", 5 * time.Hour}, {"2026-02-01", "UTC", 0}},
			map[string]string{
				"2026-01-31": "2026-01-31 05:00 to 2026-02-01 00:00",
				"2026-02-01": "2026-02-01 00:00 to 2026-02-02 00:00",
			},
		},
		"a move back over the date line makes a day of two": {
			[]settings{{"2026-01-01", "Pacific/Kiritimati", 0}, {"2026-02-01", "Pacific/Pago_Pago", 0}},
			map[string]string{
				"2026-01-31": "2026-01-30 10:00 to 2026-02-01 11:00",
				"2026-02-01": "2026-02-01 11:00 to 2026-02-02 11:00",
			},
		},
		"a move ahead over the date line leaves a day without instants": {
			[]settings{{"2026-01-01", "Pacific/Pago_Pago", 0}, {"2026-02-01", "Pacific/Kiritimati", 0}},
			map[string]string{
				"2026-01-29": "2026-01-29 11:00 to 2026-01-30 11:00",
				"2026-01-30": "2026-01-30 11:00 to 2026-01-31 10:00",
				"2026-01-31": "2026-01-31 10:00 to 2026-01-31 10:00",
				"2026-02-01": "2026-01-31 10:00 to 2026-02-01 10:00",
			},
		},
		"to and fro on three days": {
			[]settings{
				{"2026-01-01", "Pacific/Pago_Pago", 0},
				{"2026-02-01", "Pacific/Kiritimati", 0},
				{"2026-02-02", "Pacific/Pago_Pago", 0},
			},
			map[string]string{
				"2026-01-31": "2026-01-31 10:00 to 2026-01-31 10:00",
				"2026-02-01": "2026-01-31 10:00 to 2026-02-02 11:00",
				"2026-02-02": "2026-02-02 11:00 to 2026-02-03 11:00",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var changes []Change
			for _, s := range test.settings {
				from := date(t, s.from)
				changes = append(changes, Change{EffectiveFrom: &from, TimeZone: &s.zone, DayStart: &s.dayStart})
			}
			c := New(changes)
			got := map[string]string{}
			for d := range test.want {
				got[d] = span(c, date(t, d))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhichDayAnInstantBelongsTo(t *testing.T) {
	apia := Midnights(zone(t, "Pacific/Apia"))
	tests := map[string]struct {
		at   time.Time
		want string
	}{
		"the last microsecond before a skipped day": {time.Date(2011, 12, 30, 9, 59, 59, 999_999_000, time.UTC), "2011-12-29"},
		"the first after it":                        {time.Date(2011, 12, 30, 10, 0, 0, 0, time.UTC), "2011-12-31"},
		"before 1970":                               {time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC), "1969-12-31"},
		"in the year 9999":                          {time.Date(9999, 12, 30, 11, 0, 0, 0, time.UTC), "9999-12-31"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, apia.Day(test.at).String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDatesThatChanged(t *testing.T) {
	berlin, newYork := "Europe/Berlin", "America/New_York"
	january, june := date(t, "2026-01-01"), date(t, "2026-06-01")
	stay, longStay, seats := 4*time.Hour, 6*time.Hour, 40
	before := Change{ID: "1", EffectiveFrom: &january, TimeZone: &berlin, DefaultStay: &stay}
	tests := map[string]struct {
		after Change
		want  []string
	}{
		"another zone: the day before it ends elsewhere": {
			Change{ID: "2", EffectiveFrom: &june, TimeZone: &newYork},
			[]string{"2026-05-31", "2026-06-01", "2026-06-02"},
		},
		"another stay": {
			Change{ID: "2", EffectiveFrom: &june, DefaultStay: &longStay},
			[]string{"2026-06-01", "2026-06-02"},
		},
		"more seats move no day": {
			Change{ID: "2", EffectiveFrom: &june, Capacity: &seats},
			nil,
		},
		"another word for the same zone and date": {
			Change{ID: "0", EffectiveFrom: &january, TimeZone: &newYork},
			nil,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, d := range Changed(New([]Change{before}), New([]Change{before, test.after}), date(t, "2026-05-29"), date(t, "2026-06-03")) {
				got = append(got, d.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDatesAreWrittenAndRead(t *testing.T) {
	d := date(t, "2026-03-29")
	if d.Weekday() != time.Sunday || d.AddDays(3).String() != "2026-04-01" || d.AddDays(-29).String() != "2026-02-28" {
		t.Errorf("%v is a %v, three days later %v", d, d.Weekday(), d.AddDays(3))
	}
	if got := DateOf(time.Date(2026, 3, 29, 23, 59, 0, 0, zone(t, "Pacific/Kiritimati"))); got != d {
		t.Errorf("the date of an instant is %v, where its location shows %v", got, d)
	}
	if got := date(t, "1969-12-31"); got != -1 || got.String() != "1969-12-31" {
		t.Errorf("the day before 1970 is %d, %v", got, got)
	}
	text, err := d.MarshalText()
	var back Date
	if err != nil || back.UnmarshalText(text) != nil || back != d {
		t.Errorf("%v came back as %v", d, back)
	}
	for _, bad := range []string{"", "2026-3-29", "2026-02-30", "2026-03-29T00:00:00Z", "yesterday"} {
		if _, err := ParseDate(bad); err == nil {
			t.Errorf("%q was taken for a date", bad)
		}
		if back.UnmarshalText([]byte(bad)) == nil {
			t.Errorf("%q was taken for a date", bad)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	berlin := "Europe/Berlin"
	b.ReportAllocs()
	for b.Loop() {
		New([]Change{{TimeZone: &berlin}})
	}
}

func BenchmarkDay(b *testing.B) {
	berlin := "Europe/Berlin"
	c := New([]Change{{TimeZone: &berlin}})
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC).UnixMicro()
	b.Run("of an instant", func(b *testing.B) {
		for b.Loop() {
			at += 1_234_567
			c.DayAt(at)
		}
	})
	b.Run("bounds", func(b *testing.B) {
		for b.Loop() {
			c.Span(20_000)
		}
	})
}
