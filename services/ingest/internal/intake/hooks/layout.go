package hooks

import (
	"strconv"
	"strings"
	"time"

	"coworking/pkg/fault"
)

// Layout is a way to write times: rfc3339, unix, unix_ms, or a layout of Go's
// package time.
type Layout string

// UnmarshalText reads a layout.
func (l *Layout) UnmarshalText(text []byte) error {
	written := string(text)
	if strings.Contains(written, "MST") {
		return fault.Invalid.Errorf("%q names zones by letters, which mean several; write UTC or GMT if it is always that", written)
	}
	moment := time.Date(2031, 11, 23, 21, 45, 37, 0, time.UTC)
	if l := Layout(written); l != "rfc3339" && l != "unix" && l != "unix_ms" {
		read, err := time.Parse(written, moment.Format(written))
		if err != nil || !read.Truncate(time.Minute).Equal(moment.Truncate(time.Minute)) {
			return fault.Invalid.Errorf("%q is no layout of a time; write 2 January 2006, 15:04:05 as the vendor does", written)
		}
	}
	*l = Layout(written)
	return nil
}

// zoned says whether the times say their offset.
func (l Layout) zoned() bool {
	switch l {
	case "rfc3339", "unix", "unix_ms":
		return true
	default:
		text := string(l)
		return strings.Contains(text, "Z07") || strings.Contains(text, "-07") || l.universal()
	}
}

// universal says whether the times end with the name of UTC, which they always mean.
func (l Layout) universal() bool {
	text := string(l)
	return strings.HasSuffix(text, "Z") || strings.HasSuffix(text, "UTC") || strings.HasSuffix(text, "GMT")
}

// instant reads a time in one of some layouts; false if it is in none, or if the
// clocks of the zone never showed it.
func instant(written string, layouts []Layout, zone *time.Location) (time.Time, bool) {
	if len(layouts) == 0 {
		layouts = []Layout{"rfc3339"}
	}
	for _, layout := range layouts {
		if t, ok := layout.read(written, zone); ok {
			return t, true
		}
	}
	return time.Time{}, false
}

func (l Layout) read(written string, zone *time.Location) (time.Time, bool) {
	switch l {
	case "rfc3339":
		t, err := time.Parse(time.RFC3339Nano, written)
		return t, err == nil
	case "unix":
		seconds, err := strconv.ParseInt(written, 10, 64)
		return time.Unix(seconds, 0), err == nil
	case "unix_ms":
		millis, err := strconv.ParseInt(written, 10, 64)
		return time.UnixMilli(millis), err == nil
	}
	t, err := time.Parse(string(l), written)
	switch {
	case err != nil:
		return time.Time{}, false
	case l.zoned():
		return t, true
	case zone == nil:
		return time.Time{}, false
	default:
		return shown(t, zone)
	}
}

// shown is when the clocks of a zone show a wall time, which comes as if it were UTC:
// the first time, where they show it twice, and never, where they skip it.
func shown(wall time.Time, zone *time.Location) (time.Time, bool) {
	var first time.Time
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := wall.Add(near).In(zone).Zone()
		t := wall.Add(-time.Duration(offset) * time.Second)
		if _, there := t.In(zone).Zone(); there == offset && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first, !first.IsZero()
}
