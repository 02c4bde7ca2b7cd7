package legacy

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/pgtest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
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

// change changes a database, and says so as every writer does, with a space's version.
func change(t *testing.T, pool *pgxpool.Pool, scripts ...string) {
	t.Helper()
	script := "begin; " + strings.Join(scripts, "; ") + `; insert into spaces (space, version) values ('another', 1)
		on conflict (space) do update set version = spaces.version + 1; commit`
	err := pool.AcquireFunc(t.Context(), func(conn *pgxpool.Conn) error {
		return conn.Conn().PgConn().Exec(t.Context(), script).Close()
	})
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
}

// ask is the body of one of the reports.
func ask(t *testing.T, report func(context.Context) ([]byte, error)) string {
	t.Helper()
	body, err := report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// A body holds until a space's version moves, as it does with every event.
func TestABodyIsMadeOnceAState(t *testing.T) {
	pool := loaded(t, "UTC")
	reports := &Reports{Pool: pool, Zone: time.UTC}
	before := ask(t, reports.DailyUsage)
	if _, err := pool.Exec(t.Context(), "update legacy_usage set used = used + 1"); err != nil {
		t.Fatal(err)
	}
	if again := ask(t, reports.DailyUsage); again != before {
		t.Errorf("it was made again: %s", again)
	}
	change(t, pool, "select")
	if after := ask(t, reports.DailyUsage); after == before {
		t.Error("after an event it is as it was")
	}
}

// A process that remembers must say what one says that asks for the first time.
func TestWhatChangedShowsAtOnce(t *testing.T) {
	moved := "update spaces set version = version + 1 where space = '_'" // as with all that is said of members
	cases := map[string]struct {
		change []string
		as     bool // it was
	}{
		"a slot comes":                {change: []string{"insert into legacy_usage values ('2030-01-02T03:15Z', 4)"}},
		"a slot grows":                {change: []string{"update legacy_usage set used = used + 1 where slot = (select max(slot) from legacy_usage)"}},
		"a slot goes":                 {change: []string{"delete from legacy_usage where slot = (select max(slot) from legacy_usage)"}},
		"the last slot of a day goes": {change: []string{"delete from legacy_usage where slot >= (select max(slot)::date from legacy_usage)"}},
		"all slots go":                {change: []string{"truncate legacy_usage"}},
		"a slot lies on another day":  {change: []string{"update legacy_usage set slot = '2030-01-02T03:15Z' where slot = (select max(slot) from legacy_usage)"}},
		"a batch adds to some and makes others": {change: []string{
			`insert into legacy_usage as l select slot + n * interval '1 day', 1 from legacy_usage, generate_series(0, 1) n order by 1
				on conflict (slot) do update set used = l.used + excluded.used`,
		}},
		"a rebuild finds other numbers": {change: []string{
			"create table kept as select * from legacy_usage", "delete from public.legacy_usage",
			"insert into public.legacy_usage select slot, used + 1 from kept order by slot",
		}},
		"a rebuild finds the same": {as: true, change: []string{
			"create table kept as select * from legacy_usage", "delete from public.legacy_usage", "insert into public.legacy_usage select * from kept order by slot",
		}},
		"a user gets a token":         {change: []string{"update legacy_visits set visits = visits + 1 where member = 1"}},
		"a user's only token goes":    {change: []string{"delete from legacy_visits where member = (select max(member) from legacy_visits)"}},
		"a user whom nobody knew":     {change: []string{"insert into members (member) values ('15')", "insert into legacy_visits select max(id), 3 from members"}},
		"a user joined at another":    {change: []string{"update members set joined_at = '2019-05-04T03:02:01Z' where id = 1", moved}},
		"a user is erased":            {change: []string{"update members set member = 'erased-1' where id = 1", "update spaces set version = version + 1"}},
		"what no report is made from": {as: true, change: []string{"update members set name = 'Ada' where id = 1", moved}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			pool := loaded(t, "UTC")
			if _, err := pool.Exec(t.Context(), "insert into spaces (space) values ('_')"); err != nil {
				t.Fatal(err)
			}
			reports := &Reports{Pool: pool, Zone: time.UTC}
			before := ask(t, reports.DailyUsage) + ask(t, reports.UserVisits)
			change(t, pool, c.change...)
			first := &Reports{Pool: pool, Zone: time.UTC}
			want := ask(t, first.DailyUsage) + ask(t, first.UserVisits)
			if (want == before) != c.as {
				t.Fatalf("the change changes nothing, or what it should not: %s", want)
			}
			for range 2 {
				if diff := cmp.Diff(want, ask(t, reports.DailyUsage)+ask(t, reports.UserVisits)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

// statements is what was asked of a database, and how many answers came.
type statements struct {
	mu       sync.Mutex
	sent     []pgx.TraceQueryStartData
	answered chan struct{}
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, data)
	return ctx
}

func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {
	select {
	case s.answered <- struct{}{}:
	default: // nobody waits for it
	}
}

func (s *statements) take() []pgx.TraceQueryStartData {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.sent
	s.sent = nil
	return taken
}

// watched is a database whose statements are seen.
func watched(t *testing.T, pool *pgxpool.Pool) (*pgxpool.Pool, *statements) {
	t.Helper()
	seen := &statements{answered: make(chan struct{}, 100)}
	config := pool.Config()
	config.ConnConfig.Tracer = seen
	watched, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(watched.Close)
	return watched, seen
}

// pages is how many pages statements read, as Postgres counts them; they are asked again.
func pages(t *testing.T, pool *pgxpool.Pool, asked []pgx.TraceQueryStartData) (sum int64) {
	t.Helper()
	for _, one := range asked {
		var text []byte
		if err := pool.QueryRow(t.Context(), "explain (analyze, buffers, timing off, format json) "+one.SQL, one.Args...).Scan(&text); err != nil {
			t.Fatalf("%s: %v", one.SQL, err)
		}
		var plans []struct {
			Plan struct {
				Hit  int64 `json:"Shared Hit Blocks"`
				Read int64 `json:"Shared Read Blocks"`
			}
		}
		if err := json.Unmarshal(text, &plans); err != nil {
			t.Fatal(err)
		}
		sum += plans[0].Plan.Hit + plans[0].Plan.Read
	}
	return sum
}

// After an event of one day only that day is read again, however many there are: beside it
// the versions of all days, of which hundreds share a page.
func TestOnlyTheDaysThatChangedAreReadAgain(t *testing.T) {
	for _, days := range []int{400, 1200} {
		t.Run(fmt.Sprint(days, " days"), func(t *testing.T) {
			pool := pgtest.New(t)
			change(t, pool, fmt.Sprintf(`insert into legacy_usage
				select timestamptz '2020-01-01Z' + d * interval '1 day' + n * interval '30 minutes', 5
				from generate_series(1, %d) d, generate_series(1, 40) n order by 1`, days))
			if _, err := pool.Exec(t.Context(), "vacuum analyze"); err != nil {
				t.Fatal(err)
			}
			watched, seen := watched(t, pool)
			reports := &Reports{Pool: watched, Zone: time.UTC}
			ask(t, reports.DailyUsage)
			first := pages(t, pool, seen.take())
			change(t, pool, "update legacy_usage set used = used + 1 where slot = '2020-03-01T12:00Z'")
			ask(t, reports.DailyUsage)
			again := pages(t, pool, seen.take())
			change(t, pool, "select")
			ask(t, reports.DailyUsage)
			asked := seen.take()
			nothing := pages(t, pool, asked)
			t.Logf("first %d pages, after a change of a day %d, after one of none %d", first, again, nothing)
			if most := int64(20 + days/100); first < int64(days) || again > most || nothing >= again || len(asked) != 2 {
				t.Errorf("first %d pages, after a change of a day %d of at most %d, after one of none %d in %d statements", first, again, most, nothing, len(asked))
			}
		})
	}
}

// Who the users are is asked once, until something is said of members.
func TestOnlyUnknownUsersAreRead(t *testing.T) {
	pool := loaded(t, "UTC")
	watched, seen := watched(t, pool)
	reports := &Reports{Pool: watched, Zone: time.UTC}
	read := func(scripts ...string) (users int) {
		change(t, pool, scripts...)
		ask(t, reports.UserVisits)
		for _, one := range seen.take() {
			if one.SQL != membersSQL {
				continue
			}
			args, _ := one.Args[0].(pgx.StrictNamedArgs)
			members, _ := args["members"].([]int32)
			users += len(members)
		}
		return users
	}
	all := read("insert into spaces (space) values ('_')")
	got := []int{
		read("update legacy_visits set visits = visits + 1"),
		read("insert into members (member) values ('15')", "insert into legacy_visits select max(id), 3 from members"),
		read("select"),
		read("update spaces set version = version + 1 where space = '_'"),
	}
	if diff := cmp.Diff([]int{0, 1, 0, all + 1}, got); all == 0 || diff != "" {
		t.Errorf("users read, of %d (-want +got):\n%s", all, diff)
	}
}

// One asker makes a body, others wait for it. Whoever gives up meanwhile, the one who
// makes it or one who waits, takes nothing from the others.
func TestWhoGivesUpFailsNobodyElse(t *testing.T) {
	pool, seen := watched(t, loaded(t, "UTC"))
	reports := &Reports{Pool: pool, Zone: time.UTC}
	locked, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = locked.Rollback(context.Background()) }()
	if _, err := locked.Exec(t.Context(), "lock table legacy_days"); err != nil {
		t.Fatal(err)
	}
	for len(seen.answered) > 0 {
		<-seen.answered
	}
	type answer struct {
		body []byte
		err  error
	}
	start := func() (answers chan answer, cancel func()) {
		ctx, cancel := context.WithCancel(t.Context())
		answers = make(chan answer, 1)
		go func() {
			body, err := reports.DailyUsage(ctx)
			answers <- answer{body, err}
		}()
		<-seen.answered // it has asked for the state: the body is to be made, and what that takes is locked
		return answers, cancel
	}
	maker, cancelMaker := start()
	defer cancelMaker()
	waiter, cancelWaiter := start()
	patient, cancelPatient := start()
	defer cancelPatient()
	cancelWaiter()
	if a := <-waiter; !errors.Is(a.err, context.Canceled) {
		t.Errorf("who waited and gave up: %v", a.err)
	}
	cancelMaker()
	if a := <-maker; !errors.Is(a.err, context.Canceled) {
		t.Errorf("who made it and gave up: %v", a.err)
	}
	if err := locked.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := <-patient; a.err != nil || string(a.body) != file(t, "daily_usage.json")+"\n" {
		t.Errorf("who waited: %s, %v", a.body, a.err)
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
