package report_test

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"testing"
	"time"

	"coworking/pkg/pgtest"
	"coworking/services/query/internal/report"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"
)

// What all of it adds up to is counted in testdata/methods.sql. Monday in UTC begins
// after what was told in Berlin at 00:30 and in Kathmandu before 05:45.
func TestMethodsAreAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		"methods_of_monday":    {noon, "methods", "from=2026-03-30&to=2026-03-31"},
		"methods_in_utc":       {noon, "methods", "from=2026-03-30&to=2026-03-31&tz=UTC"},
		"methods_in_kathmandu": {noon, "methods", "from=2026-03-30&to=2026-03-31&tz=Asia/Kathmandu"},
		"methods_of_a_while":   {noon, "methods", "from=2026-03-29T22:31:00Z&to=2026-03-30T07:02:00Z&space=berlin"},
		"methods_of_a_source":  {noon, "methods", "from=2026-03-27&to=2026-04-02&source=main&method=door&method=kiosk"},
		"methods_by_space":     {noon, "methods", "from=2026-03-27&to=2026-04-02&group_by=space"},
		"methods_compared":     {noon, "methods", "period=yesterday&compare=previous_period&space=berlin"},
		"methods_before_all":   {noon, "methods", "from=2026-03-01&to=2026-03-20"},
	})
}

// knock is somebody at a door: let in, or not.
type knock struct {
	kind, method, source, reason string
	at                           time.Time
}

// Methods are what somebody finds who reads every event.
func TestMethodsAgreeWithPlainLoops(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	rapid.Check(t, func(t *rapid.T) {
		if err := empty(pool); err != nil {
			t.Fatal(err)
		}
		w := drawWorld(t)
		knocks := map[string][]knock{}
		for _, s := range w.sites {
			s.visits, s.events = nil, nil
			for range rapid.IntRange(0, 30).Draw(t, "knocks") {
				k := knock{
					kind:   rapid.SampledFrom([]string{"checkin", "token_used", "checkin_failed", "checkout"}).Draw(t, "kind"),
					method: rapid.SampledFrom([]string{"", "door", "app"}).Draw(t, "method"),
					source: rapid.SampledFrom([]string{"main", "side"}).Draw(t, "source"),
					at:     drawInstant(t, "at", wallClock{s.zone, s.dayStart}.start(w.dates[0]), 4*24*time.Hour),
				}
				if k.kind == "checkin_failed" {
					k.reason = rapid.SampledFrom([]string{"", "no_valid_pass", "token_reused", "token_expired", "unknown_member", "outside_hours", "other"}).Draw(t, "reason")
				}
				knocks[s.name] = append(knocks[s.name], k)
			}
		}
		load(t, pool, func(ctx context.Context, conn *pgx.Conn) error {
			batch := &pgx.Batch{}
			for name, all := range knocks {
				for _, k := range all {
					batch.Queue(`insert into told (space, kind, at, source, method, reason) values ($1, $2, $3, $4, nullif($5, ''), nullif($6, ''))`,
						name, k.kind, k.at, k.source, k.method, k.reason)
				}
			}
			if err := conn.SendBatch(ctx, batch).Close(); err != nil {
				return err
			}
			return w.tell(ctx, conn)
		})
		takeBackACopyOfEach(t, pool)
		for _, s := range w.sites {
			for _, k := range knocks[s.name] {
				s.events = append(s.events, happening{k.kind, k.at, k.at})
			}
		}
		reader := report.NewReader(pool)
		for range 4 {
			q := w.drawQuestion(t)
			query := q.query()
			query.Del("interval")
			for name, words := range map[string][]string{"method": {"door", "app", "wifi"}, "source": {"main", "side", "gate"}} {
				if rapid.IntRange(0, 2).Draw(t, "filter by "+name) == 0 {
					query[name] = rapid.SliceOfNDistinct(rapid.SampledFrom(words), 1, 2, rapid.ID).Draw(t, name)
				}
			}
			hold(t, reader, "methods", query, q.asOf, q.methods(query, knocks))
		}
	})
}

// takeBackACopyOfEach adds to each event one that was taken back: it counts for
// nothing.
func takeBackACopyOfEach(t *rapid.T, pool *pgxpool.Pool) {
	_, err := pool.Exec(context.Background(), `
	  insert into events (key, space, source, id, kind, time, received, seq, day, content, method, reason, voided)
	  select gen_random_uuid(), space, source, id || '-voided', kind, time, received, seq, day, content, method, reason, true from events`)
	if err != nil {
		t.Fatal(err)
	}
}

// methods is the report's rows.
func (q question) methods(query url.Values, knocks map[string][]knock) []row {
	var rows []row
	var all float64
	for _, method := range []string{"app", "door", ""} {
		for _, source := range []string{"main", "side"} {
			if query.Has("method") && !slices.Contains(query["method"], method) ||
				query.Has("source") && !slices.Contains(query["source"], source) {
				continue
			}
			var checkins, failed float64
			reasons := row{
				"no_valid_pass": 0., "token_reused": 0., "token_expired": 0., "unknown_member": 0., "outside_hours": 0.,
				"other": 0., "not_said": 0.,
			}
			for _, s := range q.sites {
				for _, k := range knocks[s.name] {
					date, in := q.asked(s, k.at)
					if !in || !q.alive(s, date) || k.method != method || k.source != source {
						continue
					}
					switch k.kind {
					case "checkin", "token_used":
						checkins++
					case "checkin_failed":
						failed++
						reason := cmp.Or(k.reason, "not_said")
						reasons[reason] = reasons[reason].(float64) + 1 //nolint:errcheck // it is one
					}
				}
			}
			if checkins+failed == 0 {
				continue
			}
			all += checkins
			r := row{"method": nil, "source": source, "checkins": checkins, "failed": failed, "reasons": reasons}
			if method != "" {
				r["method"] = method
			}
			rows = append(rows, r)
		}
	}
	for _, r := range rows {
		r["share"] = nil
		if all > 0 {
			r["share"] = round(r["checkins"].(float64) / all) //nolint:errcheck // it is one
		}
	}
	return rows
}
