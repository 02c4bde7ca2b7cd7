package report_test

import (
	"testing"
	"time"
)

func TestHourlyUsageIsAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		"hourly_usage_spring": {noon, "hourly_usage", "from=2026-03-29&to=2026-03-30&space=berlin"},
		"hourly_usage_autumn": {time.Date(2026, 10, 25, 12, 0, 0, 0, time.UTC), "hourly_usage", "from=2026-10-25&to=2026-10-26&space=berlin&interval=15m"},
		"hourly_usage_of_all": {noon, "hourly_usage", "from=2026-03-29&to=2026-03-31"},
		"hourly_usage_in_utc": {noon, "hourly_usage", "from=2026-03-30&to=2026-03-31&tz=UTC"},
	})
}
