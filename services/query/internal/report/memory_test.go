package report_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"coworking/pkg/pgtest"
	"coworking/services/query/internal/remember"
	"coworking/services/query/internal/report"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"
)

// A reader that remembers answers like one that was started just now, whatever was
// written meanwhile, and also where it has no room to remember much.
func TestWhatIsRememberedIsWhatIsStored(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	rapid.Check(t, func(t *rapid.T) {
		if err := empty(pool); err != nil {
			t.Fatal(err)
		}
		w := drawWorld(t)
		tokens := w.drawTokens(t)
		load(t, pool, func(ctx context.Context, conn *pgx.Conn) error {
			if err := w.tell(ctx, conn); err != nil {
				return err
			}
			return w.tellTokens(ctx, conn, tokens)
		})
		old := report.NewReader(pool)
		most := remember.Most
		if rapid.Bool().Draw(t, "little room") {
			most = rapid.SampledFrom([]int{1_000, 3_000, 30_000}).Draw(t, "room")
			old.Remember(most)
		}
		readLittle(t, old)
		asker := frequenter{old, map[string]report.Basis{}, map[string]string{}}
		var q question
		var query url.Values
		var reports []report.Report
		for i := range rapid.IntRange(2, 5).Draw(t, "times") {
			if again := i > 0 && rapid.Bool().Draw(t, "again"); !again {
				q = w.drawQuestion(t)
				query = drawWays(t, q)
				reports = rapid.SliceOfN(rapid.SampledFrom(report.Catalogue), 8, 8).Draw(t, "reports")
			}
			for _, r := range reports {
				if got, want := asker.answer(t, r, query, q.asOf), answerOf(t, report.NewReader(pool), r, query, q.asOf); got != want {
					t.Fatalf("%s?%s (-new +old):\n%s", r.Name, query.Encode(), cmp.Diff(want, got))
				}
				if held, counted := old.Holds(), old.Remembered.Held(); held != counted || held > most {
					t.Fatalf("after %s %d bytes are remembered, counted as %d; %d may be", r.Name, held, counted, most)
				}
			}
			disturb(t, pool, w)
		}
	})
}

// drawWays is a question in the words of an address, with more that some reports can be
// asked.
func drawWays(t *rapid.T, q question) url.Values {
	query := q.query()
	for _, ways := range [][]string{
		{"interval", q.interval, "hour", "15m"},
		{"metric", "arrivals", "occupancy", "unique_members"},
		{"days", "open", "calendar"},
		{"include_estimated", "false", "true"},
		{"include", "", "never"},
		{"limit", "100", "1", "2"},
		{"compare", "", "previous_period"},
	} {
		if value := rapid.SampledFrom(ways[1:]).Draw(t, ways[0]); value != "" {
			query.Set(ways[0], value)
		}
	}
	return query
}

// frequenter asks as the server does: with what it saw of a question before.
type frequenter struct {
	reader   *report.Reader
	bases    map[string]report.Basis // by the question's text
	versions map[string]string       // likewise
}

func (a *frequenter) answer(t fatal, r report.Report, asked url.Values, asOf time.Time) string {
	question := questionOf(r, asked, asOf)
	text := r.Name + question.Query.Encode()
	stands, likely, err := a.reader.Stands(context.Background(), a.bases[text], asOf)
	if err != nil {
		t.Fatal(err)
	}
	look, err := a.reader.Look(context.Background(), question, likely)
	if err != nil {
		t.Fatal(err)
	}
	defer look.Close()
	if _, again := a.bases[text]; again && stands && look.Version != a.versions[text] {
		t.Fatal(text, ": it is said to stand, and does not")
	}
	a.bases[text], a.versions[text] = look.Basis, look.Version
	answer, err := look.Answer(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return textOf(t, answer)
}

// A row of days that were measured is measured again once one of them has changed.
func TestARowIsMeasuredAgainOnceADayChanged(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	loadWorld(t, pool)
	asOf := time.Date(2026, time.March, 31, 12, 0, 0, 0, time.UTC)
	query := url.Values{"from": {"2026-03-28"}, "to": {"2026-03-31"}, "space": {"berlin", "kathmandu"}, "metric": {"occupancy"}}
	for _, name := range []string{"utilization", "occupancy_peak", "spaces", "hourly_usage", "heatmap", "dwell", "user_visits", "member_history"} {
		r, err := report.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		old := report.NewReader(pool)
		before := answerOf(t, old, r, query, asOf)
		if _, err := pool.Exec(t.Context(), `
			with visits as (update member_day set out_at = out_at + '10 min'::interval where day = '2026-03-30' and in_at is not null),
			days as (update space_day set version = version + 1 where day = '2026-03-30')
			update spaces set version = version + 1`); err != nil {
			t.Fatal(err)
		}
		after, want := answerOf(t, old, r, query, asOf), answerOf(t, report.NewReader(pool), r, query, asOf)
		if after != want || rowsOf(after) == rowsOf(before) {
			t.Errorf("%s (-new +old):\n%s", name, cmp.Diff(want, after))
		}
	}
}

// So is what became of tokens once one of them was used, on whatever day that is told.
func TestTokensAreCountedAgainOnceOneWasUsed(t *testing.T) {
	t.Parallel()
	pool := worldOf(t, map[string]*pgxpool.Pool{}, "no_shows")
	asOf := time.Date(2026, time.April, 5, 0, 0, 0, 0, time.UTC)
	query := url.Values{"from": {"2026-03-26"}, "to": {"2026-04-02"}}
	old := report.NewReader(pool)
	before := answerOf(t, old, report.NoShows, query, asOf)
	if _, err := pool.Exec(t.Context(), `
		with used as (update tokens set used = issued + '1 hour'::interval where used is null)
		update spaces set version = version + 1`); err != nil {
		t.Fatal(err)
	}
	after, want := answerOf(t, old, report.NoShows, query, asOf), answerOf(t, report.NewReader(pool), report.NoShows, query, asOf)
	if after != want || rowsOf(after) == rowsOf(before) {
		t.Errorf("(-new +old):\n%s", cmp.Diff(want, after))
	}
}

// By default each is thirteen hours from the one before: another hour of the day.
var instants = flag.Int("instants", 40, "as of how many instants what is over is asked about")

// What is over was not always, and what was not over is at some time: a reader that was
// asked about other instants says of each what held then. Nor is what was made for one way of
// asking an answer to another.
func TestWhatIsOverByNowIsNotSaidOfBefore(t *testing.T) {
	t.Parallel()
	worlds := map[string]*pgxpool.Pool{}
	metrics := []string{"occupancy", "arrivals", "unique_members"}
	step := 520 / *instants // hours: half of them go back to before the first day, half come forward again
	latest := time.Date(2026, time.April, 5, 0, 0, 0, 0, time.UTC)
	for _, name := range []string{"spaces", "hourly_usage", "heatmap", "dwell", "user_visits", "member_history", "no_shows", "utilization", "occupancy_peak"} {
		r, err := report.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		pool := worldOf(t, worlds, name)
		backward, forward := report.NewReader(pool), report.NewReader(pool)
		for i := range *instants {
			reader, hours := backward, -step*i
			if i >= *instants/2 {
				reader, hours = forward, -step*(*instants-1-i)
			}
			asOf := latest.Add(time.Duration(hours) * time.Hour)
			query := url.Values{"from": {"2026-03-26"}, "to": {"2026-04-02"}, "metric": {metrics[i%3]}}
			if got, want := answerOf(t, reader, r, query, asOf), answerOf(t, report.NewReader(pool), r, query, asOf); got != want {
				t.Fatalf("%s as of %s (-new +old):\n%s", name, asOf, cmp.Diff(want, got))
			}
		}
	}
}

// A visit that waits to be filed on another day counts where it began, although the day on
// which it is filed is over.
func TestVisitsThatWaitToBeFiledAnewCountWhereTheyBegan(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	loadWorld(t, pool)
	if _, err := pool.Exec(t.Context(), `
		with visits as (update member_day set in_at = in_at + '1 day'::interval, out_at = out_at + '1 day'::interval where day = '2026-03-28' and in_at is not null)
		insert into refile (space, day) select space, day from space_day where day = '2026-03-28'`); err != nil {
		t.Fatal(err)
	}
	asOf := time.Date(2026, time.April, 5, 0, 0, 0, 0, time.UTC)
	reader := report.NewReader(pool)
	var had []string
	for _, query := range []url.Values{{"from": {"2026-03-28"}, "to": {"2026-03-29"}}, {"from": {"2026-03-28"}, "to": {"2026-03-30"}}} {
		var totals struct{ Visits int64 }
		answer, err := reader.Answer(t.Context(), report.Question{Report: report.UserVisits, Query: query, AsOf: asOf})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(answer.Totals)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &totals); err != nil {
			t.Fatal(err)
		}
		had = append(had, fmt.Sprint(totals.Visits))
	}
	var filed string
	if err := pool.QueryRow(t.Context(), `select count(member)::text from visits where day in ('2026-03-28', '2026-03-29')`).Scan(&filed); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"0", filed}, had); diff != "" {
		t.Errorf("visits of the day that they are filed on, and with the one after it (-want +got):\n%s", diff)
	}
}

// rowsOf is the part of an answer's text that does not say when it was made.
func rowsOf(answer string) string {
	rows, _, _ := strings.Cut(answer, `{"report"`)
	return rows
}

// answerOf is a report's answer as text, but for when it was made, to what it can be asked.
func answerOf(t fatal, reader *report.Reader, r report.Report, asked url.Values, asOf time.Time) string {
	answer, err := reader.Answer(context.Background(), questionOf(r, asked, asOf))
	if err != nil {
		t.Fatal(err)
	}
	return textOf(t, answer)
}

func questionOf(r report.Report, asked url.Values, asOf time.Time) report.Question {
	query := url.Values{}
	for _, p := range r.Params {
		if allowed := p.Enum == nil || slices.Contains(p.Enum, asked.Get(p.Name)); asked.Has(p.Name) && allowed {
			query[p.Name] = asked[p.Name]
		}
	}
	return report.Question{Report: r, Query: query, AsOf: asOf}
}

func textOf(t fatal, answer report.Answer) string {
	text, err := json.Marshal([]any{answer.Rows, answer.Totals, answer.Meta, answer.Version})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// disturb changes some days as a writer would: with their versions and their space's. A
// token may change without the version of the day that it was issued on. A member may
// come of whom nothing is said. Days that begin elsewhere, of other settings, wait to be
// filed anew from then on.
func disturb(t *rapid.T, pool *pgxpool.Pool, w *world) {
	batch := &pgx.Batch{}
	for _, s := range w.sites {
		if rapid.IntRange(0, 2).Draw(t, "written") == 0 {
			continue
		}
		day := rapid.SampledFrom(w.dates).Draw(t, "day")
		change := rapid.SampledFrom([]string{
			`update member_day set out_at = out_at + '7 min'::interval, end_reason = 1 where space = (select id from spaces where space = $1) and day = $2 and in_at is not null`,
			`update member_day set in_at = null, out_at = null where space = (select id from spaces where space = $1) and day = $2`,
			`delete from more_visits where space = (select id from spaces where space = $1) and day = $2`,
		}).Draw(t, "change")
		batch.Queue(change, s.name, day)
		batch.Queue(`update space_day d set version = version + 1, checkins = checkins + 1,
		  visits = (select count(*) from visits v where v.space = d.space and v.day = d.day)
		  where space = (select id from spaces where space = $1) and day = $2`, s.name, day)
		batch.Queue(rapid.SampledFrom([]string{
			`update tokens set used = coalesce(used, issued) + '1 hour'::interval where space = (select id from spaces where space = $1)`,
			`update tokens set used = null where space = (select id from spaces where space = $1)`,
			`update tokens set issued = issued - '1 day'::interval where space = (select id from spaces where space = $1)`,
			`insert into members (member) select 'somebody of ' || $1 on conflict do nothing`,
			`with said as (insert into spaces (space) values ('_') on conflict (space) do update set version = spaces.version + 1) update members set active = not coalesce(active, false) where member <> $1`,
		}).Draw(t, "told of tokens and members"), s.name)
		batch.Queue(`update spaces set version = version + 1 where space = $1`, s.name)
		if said := rapid.SampledFrom([]string{"", "", "", `{"capacity": 1}`, `{"capacity": 9}`, `{"closures": []}`, `{"day_start": "03:00"}`}).Draw(t, "said"); said != "" {
			batch.Queue(`with change as (
			    insert into space_changes (key, space, time, source, id, data)
			    select gen_random_uuid(), id, '2026-01-02Z', 'test', $2 || settings, $2::jsonb from spaces where space = $1
			  )
			  update spaces set settings = settings + 1 where space = $1`, s.name, said)
			batch.Queue(`insert into refile (space, day) select d.space, d.day from space_day d join spaces s on s.id = d.space
			  where s.space = $1 and $2 like '%day_start%' on conflict do nothing`, s.name, said)
		}
	}
	if err := pool.SendBatch(context.Background(), batch).Close(); err != nil {
		t.Fatal(err)
	}
}
