package report_test

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/pgtest"
	"coworking/services/query/internal/report"

	"pgregory.net/rapid"
)

func TestMemberHistoryIsAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		"member_history_found":     {noon, "member_history", "q=LoveLACE&from=2026-03-30&to=2026-04-02&tz=UTC"},
		"member_history_page":      {noon, "member_history", "q=%61da&from=2026-03-27&to=2026-04-02&limit=2"},
		"member_history_everybody": {noon, "member_history", "from=2026-03-30&to=2026-03-31&space=kathmandu&space=berlin"},
		"member_history_nobody":    {noon, "member_history", "member=nobody"},
	})
}

func TestWhoIsAskedForMustBeClear(t *testing.T) {
	t.Parallel()
	reader := report.NewReader(pgtest.New(t))
	for query, pointer := range map[string]string{"member=ada&q=ben": "q", "q=a": "q"} {
		values, _ := url.ParseQuery(query)
		_, err := reader.Answer(t.Context(), report.Question{Report: report.MemberHistory, Query: values, AsOf: noon})
		if fault.Code(err) != "invalid_value" || fault.Pointer(err) != pointer {
			t.Errorf("%q: %v", query, err)
		}
	}
}

// A member's visits are what plain loops find.
func TestMemberHistoryAgreesWithPlainLoops(t *testing.T) {
	t.Parallel()
	ofMadeUpWorlds(t, 4, func(t *rapid.T, reader *report.Reader, _ *world, q question) {
		member := rapid.SampledFrom([]string{"ada", "ben"}).Draw(t, "who")
		query := q.query()
		query.Del("interval")
		query.Set("member", member)
		if want, sure := q.historyOf(member); sure {
			hold(t, reader, "member_history", query, q.asOf, want)
		}
	})
}

// historyOf is a member's rows; not sure where two visits began at the same instant,
// for which comes first is not said.
func (q question) historyOf(member string) (rows []row, sure bool) {
	type found struct {
		v attendance
		s *site
		d time.Time
	}
	var all []found
	for _, s := range q.sites {
		for _, v := range s.visits {
			if d, in := q.asked(s, v.in); in && v.member == member && !v.in.After(q.asOf) {
				all = append(all, found{v, s, d})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b found) int { return b.v.in.Compare(a.v.in) })
	for i, f := range all {
		if i > 0 && all[i-1].v.in.Equal(f.v.in) {
			return nil, false
		}
		var inside time.Duration
		for _, stay := range f.v.stays(q.asOf) {
			inside += stay[1].Sub(stay[0])
		}
		reason := "timeout"
		switch {
		case f.v.out.After(q.asOf):
			reason = "open"
		case f.v.explicit:
			reason = "explicit"
		case f.v.cutoff:
			reason = "cutoff"
		}
		rows = append(rows, row{"date": text(f.d), "space": f.s.name, "end_reason": reason, "hours": hours(inside)})
	}
	return rows, true
}
