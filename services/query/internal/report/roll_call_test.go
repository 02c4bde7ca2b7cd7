package report_test

import (
	"cmp"
	"slices"
	"testing"
)

func TestRollCallIsAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		"roll_call_of_two":       {noon, "roll_call", "limit=2"},
		"roll_call_in_kathmandu": {noon, "roll_call", "space=cellar&tz=Asia/Kathmandu"},
	})
}

// byPlace orders the rows of a roll call.
func byPlace(rows []row) []row {
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(wordOf(a, "space"), wordOf(b, "space")), cmp.Compare(wordOf(a, "member"), wordOf(b, "member")))
	})
	return rows
}
