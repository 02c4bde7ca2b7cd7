// Package picture draws reports for a terminal.
package picture

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"coworking/cmd/coworking/internal/progress"
	"coworking/pkg/calendar"
	"coworking/pkg/fault"
)

// weeks is how many weeks fit beside one another.
const weeks = 9

// usage is what daily_usage answers; null is before and after a space's life.
type usage struct {
	Data []struct {
		Date   calendar.Date `json:"date"`
		Visits *int          `json:"visits"`
	} `json:"data"`
	Totals struct {
		Checkins int64 `json:"checkins"`
		Visits   int64 `json:"visits"`
		Members  int64 `json:"unique_members"`
		Failed   int64 `json:"failed"`
	} `json:"totals"`
	Meta struct {
		Zone string `json:"tz"`
	} `json:"meta"`
}

// Draw asks the reports how busy the spaces were in the last weeks, and draws a
// block for each day. now is the day that is still running.
func Draw(ctx context.Context, out io.Writer, queryURL string, spaces []string, now time.Time) error {
	today := calendar.DateOf(now.UTC())
	monday := today - calendar.Date((int(today.Weekday())+6)%7)
	from, to := monday-7*(weeks-1), monday+7
	fmt.Fprintf(out, "Visits a day, the last %d weeks, each from Monday to Sunday by its space's own clock\n\n", weeks)
	for _, space := range spaces {
		u, err := ask(ctx, queryURL, space, from, to)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-20s %-18s %8s check-ins %7s visits %5s members %4s refused\n", space, u.Meta.Zone,
			progress.Grouped(u.Totals.Checkins), progress.Grouped(u.Totals.Visits), progress.Grouped(u.Totals.Members), progress.Grouped(u.Totals.Failed))
		fmt.Fprintf(out, "%-20s %s\n\n", "", blocks(u))
	}
	return nil
}

// ask reads daily_usage of one space, in its own zone.
func ask(ctx context.Context, queryURL, space string, from, to calendar.Date) (usage, error) {
	var u usage
	query := url.Values{"space": {space}, "from": {from.String()}, "to": {to.String()}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, queryURL+"/api/v1/reports/daily_usage?"+query.Encode(), nil)
	if err != nil {
		return u, fault.Internal.Errorf("asking for a report: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return u, fault.Unavailable.Errorf("asking for a report: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(response.Body, 1000)) // it is part of an error already
		return u, fault.Internal.Errorf("asking for a report: %s: %s", response.Status, said)
	}
	if err := json.NewDecoder(response.Body).Decode(&u); err != nil {
		return u, fault.Internal.Errorf("reading a report: %w", err)
	}
	return u, nil
}

// blocks is a block a day, the higher the busier, and a gap between weeks.
func blocks(u usage) string {
	const heights = "▁▂▃▄▅▆▇█"
	most := 1
	for _, day := range u.Data {
		if day.Visits != nil {
			most = max(most, *day.Visits)
		}
	}
	steps := []rune(heights)
	var drawn strings.Builder
	for i, day := range u.Data {
		if i > 0 && i%7 == 0 {
			drawn.WriteByte(' ')
		}
		switch {
		case day.Visits == nil:
			drawn.WriteByte(' ')
		case *day.Visits == 0:
			drawn.WriteRune('·')
		default:
			drawn.WriteRune(steps[(*day.Visits*len(steps)-1)/most])
		}
	}
	return drawn.String()
}
