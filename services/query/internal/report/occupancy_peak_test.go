package report_test

import "testing"

func TestOccupancyPeakIsAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		"occupancy_peak_no_cap": {noon, "occupancy_peak", "from=2026-03-27&to=2026-04-02"},
		"occupancy_peak_in_utc": {noon, "occupancy_peak", "from=2026-03-27&to=2026-04-02&tz=UTC&space=kathmandu"},
	})
}
