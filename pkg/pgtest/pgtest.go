// Package pgtest gives a test a real database of its own.
//
// The first test of a process starts a Postgres, which dies with the process. The
// schema is migrated once, into a template; each test gets a copy.
package pgtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"coworking/migrations"
	"coworking/migrations/apply"
	"coworking/pkg/devpg"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// New is a pool on a migrated database of the test's own. The database is dropped
// when the test is over.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return open(t, URL(t))
}

// URL is the address of a migrated database of the test's own.
func URL(t testing.TB) string {
	t.Helper()
	s := shared(t)
	return s.create(t, s.template)
}

// Empty is the address of a database of the test's own with nothing in it.
func Empty(t testing.TB) string {
	t.Helper()
	return shared(t).create(t, "template0")
}

func open(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatalf("the test's database: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

type server struct {
	*devpg.Server
	template string
}

// start runs once in a process. Its folder cannot be removed at the end of the
// process, which no one sees; it is removed at once the server holds it open no
// more: by the next process that looks for folders without an owner.
var start = sync.OnceValues(func() (*server, error) {
	for _, place := range places() {
		sweep(place)
	}
	dir, err := makeFolder()
	if err != nil {
		return nil, fmt.Errorf("a folder for the tests' database: %w", err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { // root's Postgres runs as somebody else
		return nil, fmt.Errorf("a folder for the tests' database: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	pg, err := devpg.Start(ctx, devpg.Config{Dir: dir + "/pg", Fast: true, Progress: os.Stderr})
	if err != nil {
		return nil, err
	}
	s := &server{Server: pg}
	if s.template, err = s.makeTemplate(ctx); err != nil {
		pg.Stop()
		return nil, err
	}
	return s, nil
})

// shared is the process's server. Without one no test of a database can mean
// anything, so it fails and never skips.
func shared(t testing.TB) *server {
	t.Helper()
	s, err := start()
	if err != nil {
		t.Fatalf("no Postgres for the test: %v", err)
	}
	return s
}

// makeTemplate migrates the schema once.
func (s *server) makeTemplate(ctx context.Context) (string, error) {
	name, err := templateName()
	if err != nil {
		return "", err
	}
	if err := s.exec(ctx, "create database "+name+" template template0"); err != nil {
		return "", err
	}
	return name, apply.Up(ctx, s.Server.URL(name))
}

// templateName is a name for this very schema.
func templateName() (string, error) {
	sum := sha256.New()
	names, err := fs.Glob(migrations.FS, "*.sql")
	for _, name := range names {
		content, readErr := fs.ReadFile(migrations.FS, name)
		if err = readErr; err != nil {
			break
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(content), content)
	}
	if err != nil {
		return "", fmt.Errorf("reading the migrations: %w", err)
	}
	return "template_" + hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// create makes a database and drops it when the test is over.
func (s *server) create(t testing.TB, template string) string {
	t.Helper()
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails
	name := "test_" + hex.EncodeToString(random[:])
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.exec(ctx, "create database "+name+" template "+template); err != nil {
		t.Fatalf("the test's database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.exec(ctx, "drop database "+name+" with (force)"); err != nil {
			t.Errorf("the test's database: %v", err)
		}
	})
	return s.Server.URL(name)
}

// copying is held while a database is made: a template may have one copier at a
// time, and nobody connected.
var copying sync.Mutex

func (s *server) exec(ctx context.Context, sql string) error {
	copying.Lock()
	defer copying.Unlock()
	conn, err := pgx.Connect(ctx, s.Server.URL("postgres"))
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

func folderPrefix(pid int) string { return fmt.Sprintf("pgtest-%d-", pid) }

// memory is where Linux keeps files that are never written to a disk: a database is
// made there in a seventh of the time. It must have room for all that tests may
// write; a container often has little.
const (
	memory = "/dev/shm"
	room   = 4 << 30 // bytes
)

// places is where the folders of test processes may be.
func places() []string { return []string{memory, os.TempDir()} }

func makeFolder() (string, error) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(memory, &disk); err == nil && disk.Bavail*uint64(disk.Bsize) >= room {
		if dir, err := os.MkdirTemp(memory, folderPrefix(os.Getpid())); err == nil {
			return dir, nil
		}
	}
	return os.MkdirTemp("", folderPrefix(os.Getpid()))
}

// sweep removes the folders of test processes that are gone.
func sweep(place string) {
	folders, err := os.ReadDir(place)
	if err != nil {
		return // nothing to remove then
	}
	for _, f := range folders {
		var pid int
		if _, err := fmt.Sscanf(f.Name(), "pgtest-%d-", &pid); err != nil || !strings.HasPrefix(f.Name(), folderPrefix(pid)) {
			continue
		}
		if !running(pid) {
			_ = os.RemoveAll(filepath.Join(place, f.Name())) // whoever comes next tries again
		}
	}
}
