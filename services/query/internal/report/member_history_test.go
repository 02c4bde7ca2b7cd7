package report_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/pgtest"
	"coworking/services/query/internal/report"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
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

// The day before is not over everywhere where the day has begun: in the west the latest
// visit is of an earlier date than those in the east.
func TestTheLatestVisitIsListedFirstWhateverItsDate(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	loadScript(t, pool, `
		insert into said values ('east', '2026-01-01Z', '{"time_zone": "Pacific/Auckland"}'), ('west', '2026-01-01Z', '{"time_zone": "America/Los_Angeles"}');
		insert into told (space, kind, at) values ('east', 'checkin', '2026-03-31 00:30+13'), ('west', 'checkin', '2026-03-30 20:00-07');
		insert into stayed (space, day, member, in_at, out_at, ended) values
		  ('east', '2026-03-31', 'ada', '2026-03-31 00:30+13', '2026-03-31 01:30+13', 'explicit'),
		  ('east', '2026-03-31', 'ben', '2026-03-31 00:40+13', '2026-03-31 01:40+13', 'explicit'),
		  ('west', '2026-03-30', 'cem', '2026-03-30 20:00-07', '2026-03-30 21:00-07', 'explicit')`)
	query := url.Values{"from": {"2026-03-30"}, "to": {"2026-04-01"}, "limit": {"1"}}
	answer, err := report.NewReader(pool).Answer(t.Context(), report.Question{Report: report.MemberHistory, Query: query, AsOf: noon.AddDate(0, 0, 2)})
	if err != nil {
		t.Fatal(err)
	}
	listed, err := json.Marshal(answer.Rows)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(listed), `"member":"cem"`) {
		t.Errorf("the latest is %s", listed)
	}
}

// Everybody's visits are the same, whether in one page or in many.
func TestPagesOfEverybodysHistoryAreTheWholeOfIt(t *testing.T) {
	t.Parallel()
	ofMadeUpWorlds(t, 3, func(t *rapid.T, reader *report.Reader, _ *world, q question) {
		query := q.query()
		query.Del("interval")
		read := func(limit int) (rows []row) {
			query.Set("limit", strconv.Itoa(limit))
			query.Del("cursor")
			for {
				answer, err := reader.Answer(context.Background(), report.Question{Report: report.MemberHistory, Query: query, AsOf: q.asOf})
				if err != nil {
					t.Fatal(err)
				}
				rows = append(rows, decoded[[]row](t, answer.Rows)...)
				if answer.Meta.NextCursor == nil {
					return rows
				}
				query.Set("cursor", *answer.Meta.NextCursor)
			}
		}
		whole := read(1000)
		if diff := cmp.Diff(whole, read(rapid.IntRange(1, 3).Draw(t, "limit")), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("member_history?%s as of %s (-in one page +in many):\n%s", query.Encode(), q.asOf, diff)
		}
		for i := 1; i < len(whole); i++ {
			if before, after := instantOf(t, whole[i-1]), instantOf(t, whole[i]); before.Before(after) {
				t.Fatalf("after a visit of %s comes one of %s", before, after)
			}
		}
	})
}

// instantOf is when a listed visit began.
func instantOf(t fatal, listed row) time.Time {
	at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(listed["in"]))
	if err != nil {
		t.Fatal(err)
	}
	return at
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
