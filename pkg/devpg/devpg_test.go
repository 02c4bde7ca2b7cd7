package devpg_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"coworking/pkg/devpg"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

// folder is one that the server's account can get to.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "devpg-test-") //nolint:usetesting // t.TempDir is closed to the account that root's Postgres runs as
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func exec1(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, " ")
}

func TestDataSurvivesAStop(t *testing.T) {
	dir := filepath.Join(folder(t), "pg")
	s, err := devpg.Start(t.Context(), devpg.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	exec1(t, s.URL("postgres"), "create table kept (word text)")
	exec1(t, s.URL("postgres"), "insert into kept values ('here')")
	if got := exec1(t, s.URL("postgres"), "select setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes')"); got != "on on on" {
		t.Errorf("a laptop's data is synced: %s", got)
	}
	s.Stop()
	s.Stop() // twice is once
	s, err = devpg.Start(t.Context(), devpg.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	if got := exec1(t, s.URL("postgres"), "select word from kept"); got != "here" {
		t.Errorf("after a stop there is %q", got)
	}
}

// TestMain is also the process that TestNothingIsLeftBehindByAKill kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv("DEVPG_TEST_DIR"); dir != "" {
		s, err := devpg.Start(context.Background(), devpg.Config{Dir: dir, Progress: os.Stderr})
		if err != nil {
			panic(err)
		}
		_, _ = os.Stdout.WriteString(s.URL("postgres") + "\n")
		<-s.Exited()
		return
	}
	goleak.VerifyTestMain(m)
}

func TestNothingIsLeftBehindByAKill(t *testing.T) {
	dir := filepath.Join(folder(t), "pg")
	parent := exec.CommandContext(t.Context(), os.Args[0])
	parent.Env = append(os.Environ(), "DEVPG_TEST_DIR="+dir)
	parent.Stderr = os.Stderr
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	exec1(t, strings.TrimSpace(line), "select 'it runs'")
	server := postmaster(t, dir)
	socket := exec1(t, strings.TrimSpace(line), "show unix_socket_directories")
	if err := parent.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, out)
	_ = parent.Wait() // it was killed
	gone(t, server)
	if left, _ := filepath.Glob(socket); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	s, err := devpg.Start(t.Context(), devpg.Config{Dir: dir})
	if err != nil {
		t.Fatalf("the data of a killed process: %v", err)
	}
	s.Stop()
}

// postmaster is the process that the data folder names.
func postmaster(t *testing.T, dir string) int {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Scan()
	pid := 0
	for _, digit := range lines.Text() {
		pid = pid*10 + int(digit-'0')
	}
	return pid
}

func gone(t *testing.T, pid int) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); <-tick.C {
		if err := syscall.Kill(pid, 0); err != nil {
			return
		}
	}
	t.Errorf("process %d still runs", pid)
}

func TestAnAddressUnderAClosedFolderWorksToo(t *testing.T) {
	dir := t.TempDir() // closed to all but us
	s, err := devpg.Start(t.Context(), devpg.Config{Dir: filepath.Join(dir, "pg"), Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		s.Stop()
		if err := os.RemoveAll(devpg.Real(filepath.Join(dir, "pg"))); err != nil {
			t.Error(err)
		}
	}()
	exec1(t, s.URL("postgres"), "select 'it runs'")
}

func TestFindTellsWhereItIs(t *testing.T) {
	found, err := devpg.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(found.BinDir, "initdb")); err != nil || found.Version < 15 || found.Origin == "" {
		t.Errorf("found %+v, %v", found, err)
	}
}
