package pgtest_test

import (
	"context"
	"errors"
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

// schema is every column, index, constraint, view and function, a line each.
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
	if err := apply.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	first := schema(t, url)
	if len(first) < 50 {
		t.Fatalf("the schema has %d lines only", len(first))
	}
	if err := apply.Down(t.Context(), url, steps); err != nil {
		t.Fatal(err)
	}
	if left := schema(t, url); len(left) > 0 {
		t.Errorf("left after everything was taken back: %q", left)
	}
	if err := apply.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, schema(t, url)); diff != "" {
		t.Errorf("the schema after up, down and up (-first +second):\n%s", diff)
	}
}

func TestEachStepCanBeTakenBackAlone(t *testing.T) {
	url := pgtest.URL(t)
	for version := migrations.Latest(); version > 0; version-- {
		if err := apply.Down(t.Context(), url, 1); err != nil {
			t.Fatalf("down from %d: %v", version, err)
		}
		state, err := apply.Status(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(apply.State{Version: version - 1}, state); diff != "" {
			t.Error(diff)
		}
	}
}

func TestFourRunnersAtOnceMigrateOnce(t *testing.T) {
	url := pgtest.Empty(t)
	var group errgroup.Group
	for range 4 {
		group.Go(func() error { return apply.Up(t.Context(), url) })
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	state, err := apply.Status(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(apply.State{Version: migrations.Latest()}, state); diff != "" {
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
		"one version behind": {url: pgtest.URL(t), then: "update schema_migrations set version = 1", want: "the schema is at version 1, this build needs 5; run: ingest migrate up"},
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

func TestATestsDatabaseIsItsOwn(t *testing.T) {
	one, other := pgtest.New(t), pgtest.New(t)
	if _, err := one.Exec(t.Context(), "insert into names (name) values ('door')"); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := other.QueryRow(t.Context(), "select count(*) from names").Scan(&n); err != nil || n != 0 {
		t.Errorf("the other database has %d names, error %v", n, err)
	}
}
