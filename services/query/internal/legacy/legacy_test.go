package legacy

import (
	"context"
	"embed"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/pgtest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// The tests' Postgres lives as long as their process.
func TestMain(m *testing.M) {
	pgtest.VerifyTestMain(m)
}

//go:embed testdata
var testdata embed.FS

func file(t *testing.T, name string) string {
	t.Helper()
	text, err := testdata.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// loaded is a database with the sample of the old system in it, read as if its
// timestamps were in a zone.
func loaded(t *testing.T, zone string) *pgxpool.Pool {
	t.Helper()
	pool := pgtest.New(t)
	ctx := context.Background()
	err := pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		for _, script := range []string{
			"create schema old; set search_path = old; set timezone = '" + zone + "'",
			file(t, "1_create_tables.sql"), file(t, "2_seed_users.sql"), file(t, "3_seed_tokens.sql"), file(t, "roll_up.sql"),
			"reset search_path; reset timezone",
		} {
			if err := conn.Conn().PgConn().Exec(ctx, script).Close(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

func TestBodiesAreThoseOfTheOldSystem(t *testing.T) {
	for _, name := range []string{"UTC", "America/New_York", "Asia/Kathmandu"} {
		t.Run("with timestamps in "+name, func(t *testing.T) {
			zone, err := calendar.LoadZone(name)
			if err != nil {
				t.Fatal(err)
			}
			reports := &Reports{Pool: loaded(t, name), Zone: zone}
			daily, err := reports.DailyUsage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(file(t, "daily_usage.json")+"\n", string(daily)); diff != "" {
				t.Errorf("daily usage (-want +got):\n%s", diff)
			}
			visits, err := reports.UserVisits(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(file(t, "user_visits.json")+"\n", string(visits)); diff != "" {
				t.Errorf("user visits (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnEmptyDatabaseIsAnEmptyObject(t *testing.T) {
	reports := &Reports{Pool: pgtest.New(t), Zone: time.UTC}
	daily, err := reports.DailyUsage(t.Context())
	if err != nil || string(daily) != "{}\n" {
		t.Errorf("daily usage is %s, %v", daily, err)
	}
	visits, err := reports.UserVisits(t.Context())
	if err != nil || string(visits) != "{}\n" {
		t.Errorf("user visits is %s, %v", visits, err)
	}
	if err := reports.Readable(t.Context()); err != nil {
		t.Errorf("not readable: %v", err)
	}
}

// A body holds until a space's version moves, as it does with every event.
func TestABodyIsMadeOnceAState(t *testing.T) {
	pool := loaded(t, "UTC")
	reports := &Reports{Pool: pool, Zone: time.UTC}
	asked := func() string {
		daily, err := reports.DailyUsage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return string(daily)
	}
	before := asked()
	if _, err := pool.Exec(t.Context(), "update legacy_usage set used = used + 1"); err != nil {
		t.Fatal(err)
	}
	if again := asked(); again != before {
		t.Errorf("it was made again: %s", again)
	}
	if _, err := pool.Exec(t.Context(), "insert into spaces (space, version) values ('another', 1)"); err != nil {
		t.Fatal(err)
	}
	if after := asked(); after == before {
		t.Error("after an event it is as it was")
	}
}

func TestUsersStandInNumericOrder(t *testing.T) {
	want := []string{"-10", "-2", "0", "00", "1", "2", "007", "10", "99999999999999999999", "100000000000000000000", "+3", "1a", "A", "a", "é"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, compareUsers)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTextIsEscapedAsTheOldSystemDid(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"plain words stay":                    {"Ada Berg", `"Ada Berg"`},
		"quotes and backslashes":              {`a"b\c`, `"a\"b\\c"`},
		"a slash, an ampersand and a bracket": {"/&<", `"/&<"`},
		"short forms":                         {"\n\r\t\f\b", `"\n\r\t\f\b"`},
		"other control characters":            {"\x01\x1f\x7f", `"\u0001\u001f\u007f"`},
		"letters that are not ASCII":          {"Ünal é", `"\u00dcnal \u00e9"`},
		"a surrogate pair":                    {"😀", `"\ud83d\ude00"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, string(appendText(nil, c.text))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// process is a replica of the service, as far as the daily line goes.
type process struct {
	tick chan time.Time
	log  *observer.ObservedLogs
	stop func()
}

func start(t *testing.T, pool *pgxpool.Pool) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	core, logs := observer.New(zap.InfoLevel)
	p := &process{tick: make(chan time.Time), log: logs}
	done := make(chan struct{})
	go func() {
		defer close(done)
		(&Reports{Pool: pool, Zone: time.UTC}).Log(ctx, zap.New(core), p.tick)
	}()
	p.stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(p.stop)
	return p
}

// ticks returns once all but the last are dealt with: one is taken when the one
// before it is.
func (p *process) ticks(n int) {
	for range n {
		p.tick <- time.Time{}
	}
}

// ticksUntilLogged lets time pass until the process logs: another one's lock goes a
// moment after its connection.
func (p *process) ticksUntilLogged(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		p.ticks(1) // each asks the database once
		if p.log.FilterMessage("daily usage").Len() > 0 {
			return
		}
	}
	t.Fatal("nobody logs")
}

func TestOneProcessLogsTheDailyObject(t *testing.T) {
	pool := loaded(t, "UTC")
	first := start(t, pool)
	first.ticks(2)
	second := start(t, pool)
	second.ticks(3)
	first.ticks(1)
	if n := second.log.Len(); n != 0 {
		t.Fatalf("the second process logged %d times beside the first", n)
	}
	if n := first.log.Len(); n < 2 {
		t.Fatalf("the first process logged %d times", n)
	}
	entry := first.log.All()[0]
	if entry.Level != zap.InfoLevel {
		t.Errorf("logged as %s", entry.Level)
	}
	object, _ := entry.ContextMap()["daily_usage"].(json.RawMessage)
	if diff := cmp.Diff(file(t, "daily_usage.json"), string(object)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	first.stop()
	second.ticksUntilLogged(t)
}

func TestTheLogGoesOnAfterItsConnectionBroke(t *testing.T) {
	pool := loaded(t, "UTC")
	p := start(t, pool)
	p.ticks(2)
	_, err := pool.Exec(t.Context(), `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()
	  and database = (select oid from pg_database where datname = current_database())`)
	if err != nil {
		t.Fatal(err)
	}
	p.ticks(1) // the one in hand may be from before
	p.log.TakeAll()
	p.ticksUntilLogged(t)
}
