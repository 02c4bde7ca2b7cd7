// Package pgtest gives a test a real database of its own.
//
// The schema is migrated once, into a template; each test gets a copy, which goes
// when the test is over. The first test of a process starts a Postgres, which dies
// with the process. Where PGTEST_URL names a server, as under `go run
// ./pkg/pgtest/with go test …`, all processes share that one, and the database of a
// test that failed is kept: its address is in the test's log. The user of that
// address must be a superuser.
package pgtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"coworking/migrations"
	"coworking/migrations/apply"
	"coworking/pkg/devpg"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// patience is how long one step of setting up may take: the first one may have to
// fetch a Postgres.
const patience = 5 * time.Minute

// New is a pool on a migrated database of the test's own. Like the services' pools it
// asks for no compiled queries and for one plan a statement: to compile, or to plan
// anew, takes longer than to read a test's few rows.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(URL(t))
	if err != nil {
		t.Fatalf("the test's database: %v", err)
	}
	config.ConnConfig.RuntimeParams["jit"] = "off"
	config.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatalf("the test's database: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// URL is the address of a migrated database of the test's own.
func URL(t testing.TB) string {
	t.Helper()
	s := shared(t)
	template, err := s.template()
	if err != nil {
		t.Fatalf("the schema that the test's database is a copy of: %v", err)
	}
	return s.create(t, template)
}

// Empty is the address of a database of the test's own with nothing in it.
func Empty(t testing.TB) string {
	t.Helper()
	return shared(t).create(t, "template0")
}

// server is where the databases are made.
type server struct {
	address  string // of any of its databases
	stays    bool   // when the tests' process is gone
	template func() (string, error)
}

// start gives the process its server. Without one no test of a database can mean
// anything, so whoever has none fails and never skips.
var start = sync.OnceValues(func() (*server, error) {
	s := &server{address: os.Getenv("PGTEST_URL"), stays: true}
	s.template = sync.OnceValues(s.makeTemplate)
	if s.address != "" {
		return s, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	own, err := devpg.Start(ctx, devpg.Config{Fast: true, Progress: os.Stderr})
	if err != nil {
		return nil, err
	}
	s.address, s.stays = own.URL("postgres"), false
	return s, nil
})

func shared(t testing.TB) *server {
	t.Helper()
	s, err := start()
	if err != nil {
		t.Fatalf("no Postgres for the test: %v", err)
	}
	return s
}

// templating is the advisory lock of those who make templates.
const templating = 0x7067_7465_7374

// makeTemplate migrates the schema, once a server. What makes it a template is said
// last: one that was left half-made is none, and is made again.
func (s *server) makeTemplate() (string, error) {
	name, err := templateName()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.address)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "select pg_advisory_lock($1)", templating); err != nil {
		return "", err
	}
	var made bool
	err = conn.QueryRow(ctx, "select count(*) > 0 from pg_database where datname = $1 and datistemplate", name).Scan(&made)
	if err != nil || made {
		return name, err
	}
	for _, sql := range []string{"drop database if exists " + name + " with (force)", "create database " + name + " template template0"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return "", err
		}
	}
	if err := apply.Up(ctx, s.url(name), io.Discard); err != nil {
		return "", err
	}
	_, err = conn.Exec(ctx, "alter database "+name+" with is_template true allow_connections false")
	return name, err
}

// templateName is a name for this very schema.
func templateName() (string, error) {
	names, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, name := range names {
		content, err := fs.ReadFile(migrations.FS, name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(content), content)
	}
	return "template_" + hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// create makes a database, and drops it when the test is over. Files are copied as they
// are: that takes a third of the time of a copy through the log, and the copy comes with
// what a first connection would have to gather.
func (s *server) create(t testing.TB, template string) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	if err := s.exec("create database " + name + " template " + template + " strategy file_copy"); err != nil {
		t.Fatalf("the test's database: %v", err)
	}
	t.Cleanup(func() {
		switch {
		case t.Failed() && s.stays:
			t.Logf("the test's database is kept: %s", pg.URL(s.url(name)))
			return
		case t.Failed():
			t.Log("the test's database goes with its server; to look into one afterwards, name a server that stays in PGTEST_URL")
		}
		if err := s.exec("drop database " + name + " with (force)"); err != nil {
			t.Errorf("the test's database: %v", err)
		}
	})
	return s.url(name)
}

// exec runs what no transaction can hold.
func (s *server) exec(sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.address)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

// url is the address of one of the server's databases.
func (s *server) url(database string) string {
	u, err := url.Parse(s.address)
	if err != nil {
		return s.address // nobody could connect to it, and so says whoever tries
	}
	u.Path = "/" + database
	return u.String()
}
