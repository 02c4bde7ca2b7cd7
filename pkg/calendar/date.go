package calendar

import (
	"time"

	"coworking/pkg/fault"
)

// Date is a day on some calendar: the number of days since 1970-01-01. It has no
// zone; a Calendar says which instants it holds.
type Date int32

// DateOf is the date that t's own location shows.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay)
}

// ParseDate reads 2026-03-29. Anything else is fault.Invalid, `invalid_value`.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fault.Invalid.With("invalid_value", "", "%q is not a date like 2026-03-29", s)
	}
	return DateOf(t), nil
}

// Time is midnight of the date in UTC: its form for a database and for layouts.
func (d Date) Time() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// String is the date as 2026-03-29.
func (d Date) String() string { return d.Time().Format(time.DateOnly) }

// Weekday is the date's day of the week.
func (d Date) Weekday() time.Weekday { return d.Time().Weekday() }

// AddDays is the date n days later, or earlier if n is negative.
func (d Date) AddDays(n int) Date { return d + Date(n) }

// MarshalText writes the date as String does.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Date) UnmarshalText(text []byte) error {
	parsed, err := ParseDate(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
