package reportcard

import (
	"strings"
	"time"

	"coworking/cmd/coworking/internal/progress"
)

// span is a duration without its sign, as people say it: 0.4s, 1m30s, 2h, 3 days.
func span(d time.Duration) string {
	switch d = d.Abs(); {
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	case d < 48*time.Hour:
		said := d.Round(time.Second).String()
		if strings.HasSuffix(said, "m0s") {
			said = strings.TrimSuffix(said, "0s")
		}
		if strings.HasSuffix(said, "h0m") {
			said = strings.TrimSuffix(said, "0m")
		}
		return said
	default:
		return count(int(d.Round(24*time.Hour)/(24*time.Hour)), "day")
	}
}

// side is a span with the side that it lies on.
func side(ahead time.Duration) string {
	if ahead > 0 {
		return span(ahead) + " ahead"
	}
	return span(ahead) + " late"
}

// count is a number of things: 1 event, 1,000 events.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return number(n) + " " + thing + "s"
}

func number(n int) string { return progress.Grouped(int64(n)) }

// percent is a share in words: 12 %.
func percent(part, whole int) string {
	return number(100*part/max(1, whole)) + " %"
}
