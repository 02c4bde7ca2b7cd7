package event

import (
	"time"

	"coworking/pkg/fault"
)

// Years that a time may lie in: what every zone's offset is a multiple of 15
// minutes in, and what RFC 3339 can write.
const (
	firstYear = 1973
	lastYear  = 9999
)

// instant reads a time of RFC 3339 with its offset, cut to microseconds.
func instant(value []byte, pointer string) (time.Time, error) {
	if value == nil {
		return time.Time{}, fault.Invalid.With("invalid_time", pointer, "time is missing")
	}
	if value[0] != '"' {
		return time.Time{}, fault.Invalid.With("invalid_time", pointer, "time is not a text like 2026-03-29T00:58:03.120Z")
	}
	t, ok := parseTime(unquote(value))
	if !ok {
		return time.Time{}, fault.Invalid.With("invalid_time", pointer,
			"%s is not a time with an offset like 2026-03-29T00:58:03.120Z, from %d to %d", quote(unquote(value)), firstYear, lastYear)
	}
	return t, nil
}

// parseTime is stricter than time.Parse, which takes one-digit hours and a comma.
func parseTime(text []byte) (time.Time, bool) {
	const shape = "0000-00-00T00:00:00"
	if len(text) <= len(shape) {
		return time.Time{}, false
	}
	for i := range len(shape) {
		switch c := text[i]; {
		case shape[i] == '0':
			if c < '0' || c > '9' {
				return time.Time{}, false
			}
		case c != shape[i] && (c != 't' || shape[i] != 'T'):
			return time.Time{}, false
		}
	}
	number := func(at, digits int) (n int) {
		for _, c := range text[at : at+digits] {
			n = n*10 + int(c-'0')
		}
		return n
	}
	year, month, day := number(0, 4), number(5, 2), number(8, 2)
	hour, minute, second := number(11, 2), number(14, 2), number(17, 2)
	if month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	nanos, rest, ok := fraction(text[len(shape):])
	if !ok {
		return time.Time{}, false
	}
	offset, ok := offset(rest)
	if !ok {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	if t.Day() != day { // 30 February becomes a day in March
		return time.Time{}, false
	}
	t = t.Add(-offset)
	return t, t.Year() >= firstYear && t.Year() <= lastYear
}

// fraction reads the part of a second, cut to microseconds.
func fraction(text []byte) (nanos int, rest []byte, ok bool) {
	if len(text) == 0 || text[0] != '.' {
		return 0, text, true
	}
	text = text[1:]
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	scale := 100_000_000
	for i := range min(n, 6) {
		nanos += int(text[i]-'0') * scale
		scale /= 10
	}
	return nanos, text[n:], n > 0
}

// offset reads Z or +hh:mm.
func offset(text []byte) (time.Duration, bool) {
	if string(text) == "Z" || string(text) == "z" {
		return 0, true
	}
	if len(text) != len("+00:00") || text[0] != '+' && text[0] != '-' || text[3] != ':' {
		return 0, false
	}
	for _, i := range [...]int{1, 2, 4, 5} {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
	}
	hours, minutes := int(text[1]-'0')*10+int(text[2]-'0'), int(text[4]-'0')*10+int(text[5]-'0')
	if hours > 23 || minutes > 59 {
		return 0, false
	}
	d := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if text[0] == '-' {
		d = -d
	}
	return d, true
}
