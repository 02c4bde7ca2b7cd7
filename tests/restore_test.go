package tests

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"coworking/pkg/devpg"

	"github.com/jackc/pgx/v5"
)

// The drill of docs/deploy.md: a database is dumped, goes on, is destroyed and
// restored; what came after the dump comes again from the stream, and all is equal.
func TestADatabaseIsRestoredAndTheStreamReplayed(t *testing.T) {
	t.Parallel()
	found, err := devpg.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(found.BinDir, "pg_dump")); err != nil {
		t.Logf("not drilled here: the Postgres in %s has no pg_dump", found.BinDir)
		return
	}
	dir := settled(t)
	s := up(t, dir)
	publish := func(from, count int) {
		t.Helper()
		if out, err := s.tool(checkIns(from, count), "publish", "-"); err != nil {
			t.Fatalf("%s%v", out, err)
		}
		s.counted(from + count)
	}
	publish(0, 300)
	address := s.running().DatabaseURL
	dump := filepath.Join(t.TempDir(), "coworking.dump")
	run(t, found.BinDir, "pg_dump", "--format=custom", "--file="+dump, "--dbname="+address)
	publish(300, 200)
	s.signal(os.Interrupt)

	restore(t, found.BinDir, filepath.Join(dir, "postgres"), address, dump)
	s = up(t, dir)
	s.counted(300) // what came after the dump is gone
	if out, err := s.ingest("setup", "--replay"); err != nil || !strings.Contains(out, "removed: it stood at message 500") {
		t.Fatalf("%s%v", out, err)
	}
	s.counted(500)
	if out, err := s.ingest("verify", "--quiet"); err != nil {
		t.Errorf("%s%v", out, err)
	}
}

// restore puts a dump in the place of the database that was.
func restore(t *testing.T, bin, data, address, dump string) {
	t.Helper()
	server, err := devpg.Start(t.Context(), devpg.Config{Dir: data})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	was, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(was.Path, "/")
	admin, err := pgx.Connect(t.Context(), server.URL("template1"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(t.Context())
	for _, statement := range []string{"drop database ", "create database "} {
		if _, err := admin.Exec(t.Context(), statement+pgx.Identifier{name}.Sanitize()); err != nil {
			t.Fatal(err)
		}
	}
	run(t, bin, "pg_restore", "--exit-on-error", "--dbname="+server.URL(name), dump)
}

func run(t *testing.T, bin, program string, args ...string) {
	t.Helper()
	if out, err := exec.Command(filepath.Join(bin, program), args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

// ingest runs a verb of the service on the running system.
func (s *system) ingest(args ...string) (string, error) {
	s.t.Helper()
	r := s.running()
	cmd := exec.Command(ingest(s.t), args...)
	cmd.Env = append(slices.Clip(s.cmd.Env), "DATABASE_URL="+r.DatabaseURL, "NATS_URL="+r.NATSURL)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
