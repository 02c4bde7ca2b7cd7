package report_test

import (
	"net/url"
	"testing"
	"time"

	"coworking/pkg/pgtest"
	"coworking/services/query/internal/report"

	"github.com/google/go-cmp/cmp"
)

// How soon an event is in a report hangs on how often the answer waits for the database:
// after an event for whether anything moved, and for the days that changed, with whether
// all else is as it was.
func TestAQuestionThatWasAskedBeforeWaitsTwiceAfterAnEvent(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	loadWorld(t, pool)
	waits := &pgtest.Waits{}
	asker := frequenter{report.NewReader(waits.Pool(t, pool)), map[string]report.Basis{}, map[string]string{}}
	asOf := time.Date(2026, time.March, 31, 12, 0, 0, 0, time.UTC)
	query := url.Values{"from": {"2026-03-28"}, "to": {"2026-03-31"}}
	ask := func() []string {
		t.Helper()
		waits.Take()
		asker.answer(t, report.DailyUsage, query, asOf)
		return waits.Take()
	}
	ask() // nothing is known yet
	for _, step := range []struct {
		what, change string
		want         []string
	}{
		{
			"an event", `
			with day as (update space_day set version = version + 1, checkins = checkins + 1 where day = '2026-03-30' returning space)
			update spaces set version = version + 1 where id in (select space from day)`,
			[]string{pgtest.Statement, pgtest.Statement},
		},
		{
			"an event of a day that nobody asks for", `update spaces set version = version + 1 where space = 'berlin'`,
			[]string{pgtest.Statement, pgtest.Statement},
		},
	} {
		if _, err := pool.Exec(t.Context(), step.change); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, ask()); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", step.what, diff)
		}
	}
}
