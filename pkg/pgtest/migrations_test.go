package pgtest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"coworking/migrations"
	"coworking/migrations/apply"
	"coworking/pkg/pgtest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = conn.Close(ctx) // the database is dropped either way
	})
	return conn
}

// schema is every column, index, constraint, view, function and trigger, a line each.
func schema(t *testing.T, url string) []string {
	t.Helper()
	rows, err := connect(t, url).Query(t.Context(), `
		select format('column %s.%s %s %s %s', table_name, column_name, data_type, is_nullable, coalesce(column_default, identity_generation, ''))
		from information_schema.columns where table_schema = 'public' and table_name <> 'schema_migrations'
		union all select 'index ' || indexdef from pg_indexes where schemaname = 'public' and tablename <> 'schema_migrations'
		union all select format('constraint %s %s', conname, pg_get_constraintdef(oid)) from pg_constraint
		  where connamespace = 'public'::regnamespace and conrelid <> 'schema_migrations'::regclass
		union all select format('view %s %s', viewname, definition) from pg_views where schemaname = 'public'
		union all select 'function ' || pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
		union all select 'trigger ' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
		union all select format('options %s %s', relname, reloptions) from pg_class
		  where relnamespace = 'public'::regnamespace and relname not like 'schema_migrations%'
		order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestUpDownUpIsTheSameSchema(t *testing.T) {
	url := pgtest.Empty(t)
	steps := int(migrations.Latest())
	if err := apply.Up(t.Context(), url, io.Discard); err != nil {
		t.Fatal(err)
	}
	first := schema(t, url)
	if len(first) < 50 {
		t.Fatalf("the schema has %d lines only", len(first))
	}
	if err := apply.Down(t.Context(), url, steps, io.Discard); err != nil {
		t.Fatal(err)
	}
	if left := schema(t, url); len(left) > 0 {
		t.Errorf("left after everything was taken back: %q", left)
	}
	if err := apply.Up(t.Context(), url, io.Discard); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, schema(t, url)); diff != "" {
		t.Errorf("the schema after up, down and up (-first +second):\n%s", diff)
	}
}

func TestEachStepCanBeTakenBackAlone(t *testing.T) {
	url := pgtest.URL(t)
	for version := migrations.Latest(); version > 0; version-- {
		if err := apply.Down(t.Context(), url, 1, io.Discard); err != nil {
			t.Fatalf("down from %d: %v", version, err)
		}
		stands(t, url, apply.State{Version: version - 1})
	}
}

// A release before has written slots of the old report whose days nobody kept.
func TestDaysOfTheOldReportAreThereFromTheStart(t *testing.T) {
	url := pgtest.URL(t)
	if err := apply.Down(t.Context(), url, int(migrations.Latest()-9), io.Discard); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, url)
	if _, err := conn.Exec(t.Context(), `set timezone = 'Asia/Kathmandu';
		insert into legacy_usage values ('2026-03-02T00:00Z', 1), ('2026-03-02T23:45Z', 2), ('2026-03-04T12:00Z', 3)`); err != nil {
		t.Fatal(err)
	}
	if err := apply.Up(t.Context(), url, io.Discard); err != nil {
		t.Fatal(err)
	}
	var days string
	if err := conn.QueryRow(t.Context(), "select string_agg(day::text, ' ' order by day) from legacy_days").Scan(&days); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("2026-03-02 2026-03-04", days); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFourRunnersAtOnceMigrateOnce(t *testing.T) {
	url := pgtest.Empty(t)
	var group errgroup.Group
	for range 4 {
		group.Go(func() error { return apply.Up(t.Context(), url, io.Discard) })
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	stands(t, url, apply.State{Version: migrations.Latest()})
}

// lines is what a runner says, and closes said once a line has these words.
type lines struct {
	words string
	said  chan struct{}
	once  sync.Once
}

func waitFor(words string) *lines { return &lines{words: words, said: make(chan struct{})} }

func (l *lines) Write(p []byte) (int, error) {
	if strings.Contains(string(p), l.words) {
		l.once.Do(func() { close(l.said) })
	}
	return len(p), nil
}

// inUse is a database where the last table of the schema's last change that made
// one is being read, and version the one below that change.
func inUse(t *testing.T) (url string, release func(), version uint) {
	t.Helper()
	url = pgtest.URL(t)
	reader := connect(t, url)
	if _, err := reader.Exec(t.Context(), "begin; lock table watermarks in access share mode"); err != nil {
		t.Fatal(err)
	}
	return url, func() {
		if _, err := reader.Exec(context.Background(), "rollback"); err != nil {
			t.Error(err)
		}
	}, 3 // 000004 makes it
}

func TestATableInUseIsWaitedFor(t *testing.T) {
	url, release, version := inUse(t)
	progress, done := waitFor("a table is in use, trying again"), make(chan error, 1)
	go func() { done <- apply.Down(t.Context(), url, int(migrations.Latest()-version), progress) }()
	select {
	case <-progress.said:
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	}
	release()
	if err := <-done; err != nil {
		t.Error(err)
	}
	stands(t, url, apply.State{Version: version})
}

func TestWhoeverIsToldToStopLeavesAWholeSchema(t *testing.T) {
	url, release, version := inUse(t)
	defer release()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- apply.Down(ctx, url, int(migrations.Latest()), io.Discard) }()
	somebodyWaits(t, url)
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	stands(t, url, apply.State{Version: version + 1})
}

// somebodyWaits returns once a statement waits for a table.
func somebodyWaits(t *testing.T, url string) {
	t.Helper()
	conn := connect(t, url)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for waits := false; !waits; <-tick.C {
		if err := conn.QueryRow(t.Context(), "select count(*) > 0 from pg_locks where relation = 'watermarks'::regclass and not granted").Scan(&waits); err != nil {
			t.Fatal(err)
		}
	}
}

func TestARunnerWaitsForAnotherUntilItsTimeIsUp(t *testing.T) {
	url, release, version := inUse(t)
	first, done := waitFor("trying again"), make(chan error, 1)
	go func() { done <- apply.Down(t.Context(), url, int(migrations.Latest()-version), first) }()
	<-first.said
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	second := waitFor("waiting for another migration to end")
	if err := apply.Up(ctx, url, second); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	<-second.said
	release()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAMigrationThatFailsChangesNothing(t *testing.T) {
	url := pgtest.Empty(t)
	conn := connect(t, url)
	// What the second statement of the first file makes.
	if _, err := conn.Exec(t.Context(), "create table spaces ()"); err != nil {
		t.Fatal(err)
	}
	err := apply.Up(t.Context(), url, io.Discard)
	const want = `migrating from version 0 to 1: ERROR: relation "spaces" already exists (SQLSTATE 42P07)`
	if err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
	stands(t, url, apply.State{})
	if _, err := conn.Exec(t.Context(), "drop table spaces"); err != nil {
		t.Fatal(err)
	}
	if err := apply.Up(t.Context(), url, io.Discard); err != nil {
		t.Errorf("the next time: %v", err)
	}
	stands(t, url, apply.State{Version: migrations.Latest()})
}

func TestASchemaThatIsFurtherIsLeftAlone(t *testing.T) {
	url, ahead := pgtest.URL(t), apply.State{Version: migrations.Latest() + 1}
	set(t, url, "update schema_migrations set version = version + 1")
	if err := apply.Up(t.Context(), url, io.Discard); err != nil {
		t.Error(err)
	}
	if err := apply.Down(t.Context(), url, 1, io.Discard); err == nil || !strings.Contains(err.Error(), "take it back with the build that made it") {
		t.Errorf("%v", err)
	}
	stands(t, url, ahead)
}

func TestWhatNobodyKnowsIsNotTouched(t *testing.T) {
	url := pgtest.URL(t)
	set(t, url, "update schema_migrations set version = 3, dirty = true")
	const want = "a migration to version 3 failed halfway; mend it by hand, then set schema_migrations.dirty to false"
	for name, run := range map[string]func() error{
		"up":   func() error { return apply.Up(t.Context(), url, io.Discard) },
		"down": func() error { return apply.Down(t.Context(), url, 1, io.Discard) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := run(); err == nil || err.Error() != want {
				t.Errorf("%v", err)
			}
		})
	}
	stands(t, url, apply.State{Version: 3, Dirty: true})
}

func set(t *testing.T, url, sql string) {
	t.Helper()
	if _, err := connect(t, url).Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func stands(t *testing.T, url string, want apply.State) {
	t.Helper()
	state, err := apply.Status(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, state); diff != "" {
		t.Error(diff)
	}
}

func TestCheckSaysWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		url  string
		then string
		want string
	}{
		"all is well":        {url: pgtest.URL(t)},
		"one version ahead":  {url: pgtest.URL(t), then: "update schema_migrations set version = version + 1"},
		"no schema":          {url: pgtest.Empty(t), want: "the database has no schema yet; run: ingest migrate up"},
		"one version behind": {url: pgtest.URL(t), then: "update schema_migrations set version = 1", want: fmt.Sprintf("the schema is at version 1, this build needs %d; run: ingest migrate up", migrations.Latest())},
		"a migration failed": {
			url: pgtest.URL(t), then: "update schema_migrations set version = 3, dirty = true",
			want: "a migration to version 3 failed halfway; mend it by hand, then set schema_migrations.dirty to false",
		},
	} {
		t.Run(name, func(t *testing.T) {
			conn := connect(t, c.url)
			if c.then != "" {
				if _, err := conn.Exec(t.Context(), c.then); err != nil {
					t.Fatal(err)
				}
			}
			err := apply.Check(t.Context(), conn)
			got := ""
			if wrong, ok := errors.AsType[*apply.SchemaError](err); ok {
				got = wrong.Error()
			} else if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
