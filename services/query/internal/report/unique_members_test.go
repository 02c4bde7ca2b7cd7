package report_test

import "testing"

func TestUniqueMembersIsAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		"unique_members_month": {noon, "unique_members", "from=2026-03-01&to=2026-05-01&interval=month&tz=Asia/Kathmandu"},
	})
}
