package report_test

import (
	"context"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"coworking/pkg/pgtest"
	"coworking/services/query/internal/report"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A question that was asked before is expected to be about what it was about then. Where it
// is not, the answer is that of a reader which knew nothing.
func TestAQuestionMayBeAboutSomethingElseThanBefore(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	for name, step := range map[string]struct{ query, change string }{
		"an event of a day": {"", `select`},
		"another zone for the days to come": {"from=2026-03-20&to=2026-04-02&space=berlin", `
			with said as (insert into space_changes (key, space, time, source, id, data)
			  select gen_random_uuid(), id, '2026-03-31 11:00Z', 'test', 'moves', '{"time_zone": "Europe/Paris", "effective_from": "2026-04-01"}'
			  from spaces where space = 'berlin')
			update spaces set settings = settings + 1 where space = 'berlin'`},
		"an event before all others": {"from=2026-02-20&to=2026-04-02", `
			insert into space_day (space, day, version, events, checkins)
			select id, '2026-02-21', 1, 1, 1 from spaces where space = 'berlin'`},
		"no event on the first day any more": {"from=2026-02-20&to=2026-04-02", `
			update space_day d set events = 0 where space = (select id from spaces where space = 'berlin')
			  and day = (select min(day) from space_day where space = d.space)`},
		"days that are filed anew": {"", `insert into refile (space, day) select id, '2026-03-30' from spaces where space = 'berlin'`},
		"a space that nobody knew": {"", `insert into spaces (space) values ('new')`},
		"a plan that nobody knew": {"plan=unheard", `
			with word as (insert into names (name) values ('unheard') returning id)
			update member_day set plan = (select id from word) where day = '2026-03-30' and in_at is not null`},
		"a first event that was earlier": {"from=2026-02-20&to=2026-04-02&tz=America/New_York", `
			with day as (update space_day set version = version + 1 where day = (select min(day) from space_day))
			update events set time = time - '8 hours'::interval where day = (select min(day) from events)`},
		"what is said of a member": {"", `insert into spaces (space) values ('_') on conflict (space) do update set version = spaces.version + 1`},
	} {
		if err := empty(pool); err != nil {
			t.Fatal(err)
		}
		loadWorld(t, pool)
		query, err := url.ParseQuery(step.query)
		if err != nil {
			t.Fatal(err)
		}
		reports := []report.Report{report.DailyUsage, report.Utilization, report.UserVisits}
		askers := make([]frequenter, len(reports)) // each finds out for itself that days changed
		for i, r := range reports {
			askers[i] = frequenter{report.NewReader(pool), map[string]report.Basis{}, map[string]string{}}
			askers[i].answer(t, r, query, noon)
		}
		if _, err := pool.Exec(t.Context(), step.change); err != nil {
			t.Fatal(err)
		}
		anEvent(t, pool)
		for i, r := range reports {
			if got, want := askers[i].answer(t, r, query, noon), answerOf(t, report.NewReader(pool), r, query, noon); got != want {
				t.Errorf("%s after %s (-new +old):\n%s", r.Name, name, cmp.Diff(want, got))
			}
		}
	}
}

// anEvent comes to a space, as far as versions show it.
func anEvent(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	if _, err := pool.Exec(context.Background(), `
		with day as (update space_day set version = version + 1, checkins = checkins + 1 where day = '2026-03-30' returning space)
		update spaces set version = version + 1 where id in (select space from day)`); err != nil {
		t.Error(err)
	}
}

// meanwhile is a tracer that has something happen, once it is awake, before days that
// changed are asked for. Transactions end beside the test.
type meanwhile struct {
	awake   atomic.Bool
	happens func()
}

func (m *meanwhile) TraceQueryStart(ctx context.Context, _ *pgx.Conn, asked pgx.TraceQueryStartData) context.Context {
	if strings.Contains(asked.SQL, "@known_days") && m.awake.CompareAndSwap(true, false) {
		m.happens()
	}
	return ctx
}

func (*meanwhile) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// An event that comes after the look at the versions, and before days are read, is in the
// answer, and the answer's version is that of one which holds it.
func TestAnEventMayComeWhileAQuestionIsAnswered(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	loadWorld(t, pool)
	tracer := &meanwhile{happens: func() { anEvent(t, pool) }}
	config := pool.Config()
	config.ConnConfig.Tracer = tracer
	traced, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer traced.Close()
	asker := frequenter{report.NewReader(traced), map[string]report.Basis{}, map[string]string{}}
	query := url.Values{"from": {"2026-03-20"}, "to": {"2026-04-02"}}
	asker.answer(t, report.DailyUsage, query, noon)
	anEvent(t, pool)
	tracer.awake.Store(true)
	got, want := asker.answer(t, report.DailyUsage, query, noon), answerOf(t, report.NewReader(pool), report.DailyUsage, query, noon)
	if waits := tracer.awake.Load(); got != want || waits {
		t.Errorf("it still waits to happen: %t (-new +old):\n%s", waits, cmp.Diff(want, got))
	}
}
