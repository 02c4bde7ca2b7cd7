// Package settings reads and writes what people say of a space.
package settings

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/fault"
)

// Hours is opening hours as an event holds them: a weekday to [from, to].
type Hours map[string][2]string

// weekdays is the week as the rest of the system writes it.
var weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

var span = regexp.MustCompile(`^(daily|[a-z]{3})(?:-([a-z]{3}))? +([0-9]{2}:[0-9]{2})-([0-9]{2}:[0-9]{2})$`)

// UnmarshalText reads 'mon-fri 08:00-18:00, sat 10:00-16:00'. A range of days may
// reach past Sunday: fri-mon.
func (h *Hours) UnmarshalText(text []byte) error {
	*h = Hours{}
	for part := range strings.SplitSeq(strings.ToLower(string(text)), ",") {
		said := span.FindStringSubmatch(strings.TrimSpace(part))
		if said == nil {
			return fault.Invalid.Errorf("%q is not like 'mon-fri 08:00-18:00'", strings.TrimSpace(part))
		}
		days, err := daysOf(said[1], said[2])
		if err != nil {
			return err
		}
		for _, clock := range said[3:] {
			if _, err := calendar.ParseClock(clock); err != nil {
				return err
			}
		}
		for _, day := range days {
			if _, twice := (*h)[day]; twice {
				return fault.Invalid.Errorf("%s is named twice; a day has one time from and one time to", day)
			}
			(*h)[day] = [2]string{said[3], said[4]}
		}
	}
	return nil
}

// daysOf is the days from one to another.
func daysOf(first, last string) ([]string, error) {
	if first == "daily" && last == "" {
		return weekdays, nil
	}
	if last == "" {
		last = first
	}
	from, to := slices.Index(weekdays, first), slices.Index(weekdays, last)
	if from < 0 || to < 0 {
		return nil, fault.Invalid.Errorf("%s-%s: the days are mon, tue, wed, thu, fri, sat and sun", first, last)
	}
	var days []string
	for at := from; ; at = (at + 1) % len(weekdays) {
		days = append(days, weekdays[at])
		if at == to {
			return days, nil
		}
	}
}

// Format is opening hours as UnmarshalText reads them.
func Format(hours calendar.Hours) string {
	var parts []string
	for at := 0; at < len(weekdays); {
		open, is := of(hours, at)
		if !is {
			at++
			continue
		}
		last := at
		for last+1 < len(weekdays) {
			if next, is := of(hours, last+1); !is || next != open {
				break
			}
			last++
		}
		days := weekdays[at]
		if last > at {
			days += "-" + weekdays[last]
		}
		parts = append(parts, fmt.Sprintf("%s %s-%s", days, clock(open[0]), clock(open[1])))
		at = last + 1
	}
	if len(parts) == 0 {
		return "never"
	}
	return strings.Join(parts, ", ")
}

// of is the hours of a day of the week that begins on Monday.
func of(hours calendar.Hours, at int) ([2]time.Duration, bool) {
	open, is := hours[time.Weekday((at+1)%len(weekdays))]
	return open, is
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(d/time.Hour), int(d%time.Hour/time.Minute))
}
