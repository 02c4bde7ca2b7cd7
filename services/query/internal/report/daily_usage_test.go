package report_test

import "testing"

func TestDailyUsageIsAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		"daily_usage_berlin":     {noon, "daily_usage", "from=2026-03-27&to=2026-04-02&space=berlin"},
		"daily_usage_in_utc":     {noon, "daily_usage", "from=2026-03-27&to=2026-04-02&tz=UTC"},
		"daily_usage_by_week":    {noon, "daily_usage", "from=2026-03-27&to=2026-04-02&interval=week"},
		"daily_usage_of_a_while": {noon, "daily_usage", "from=2026-03-30T07:31:00Z&to=2026-03-30T09:05:00Z&space=berlin"},
		"daily_usage_by_space":   {noon, "daily_usage", "from=2026-03-30&to=2026-04-01&group_by=space"},
		"daily_usage_compared":   {noon, "daily_usage", "period=today&compare=previous_period&space=berlin"},
		"daily_usage_by_plan":    {noon, "daily_usage", "from=2026-03-30&to=2026-04-01&group_by=plan&space=berlin"},
		"daily_usage_of_a_team":  {noon, "daily_usage", "from=2026-03-28&to=2026-04-01&team=acme&interval=week"},
	})
}
