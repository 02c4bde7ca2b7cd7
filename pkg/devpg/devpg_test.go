package devpg_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"coworking/pkg/devpg"
	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

// TestMain is also the process that TestNothingIsLeftBehindByAKill kills.
func TestMain(m *testing.M) {
	if os.Getenv("DEVPG_TEST_IS_PARENT") != "" {
		s, err := devpg.Start(context.Background(), devpg.Config{Dir: os.Getenv("DEVPG_TEST_DIR"), Progress: os.Stderr})
		if err != nil {
			panic(err)
		}
		_, _ = os.Stdout.WriteString(s.URL("postgres") + "\n")
		<-s.Exited()
		return
	}
	goleak.VerifyTestMain(m)
}

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
	return filepath.Join(dir, "pg")
}

func start(t *testing.T, c devpg.Config) *devpg.Server {
	t.Helper()
	s, err := devpg.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// ask gives the words that a statement answers, with blanks between them.
func ask(t *testing.T, url, sql string) string {
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
	words, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(words, " ")
}

const (
	durability = "select setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit')"
	itsFolder  = "select setting from pg_settings where name = 'unix_socket_directories'"
)

func TestDataSurvivesAStop(t *testing.T) {
	dir := folder(t)
	s := start(t, devpg.Config{Dir: dir})
	ask(t, s.URL("postgres"), "create table kept as select 'here' as word")
	if got := ask(t, s.URL("postgres"), durability); got != "on on on" {
		t.Errorf("a laptop's data are synced: %s", got)
	}
	s.Stop()
	s.Stop() // twice is once
	s = start(t, devpg.Config{Dir: dir})
	if got := ask(t, s.URL("postgres"), "select word from kept"); got != "here" {
		t.Errorf("after a stop there is %q", got)
	}
}

func TestDataSurviveACrash(t *testing.T) {
	dir := folder(t)
	s := start(t, devpg.Config{Dir: dir})
	ask(t, s.URL("postgres"), "create table kept as select 'here' as word")
	if err := syscall.Kill(postmaster(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Exited()
	s = start(t, devpg.Config{Dir: dir})
	if got := ask(t, s.URL("postgres"), "select word from kept"); got != "here" {
		t.Errorf("after a crash there is %q", got)
	}
}

func TestDataOfATestGoWithTheServer(t *testing.T) {
	s := start(t, devpg.Config{Fast: true})
	if got := ask(t, s.URL("postgres"), durability); got != "off off off" {
		t.Errorf("a test syncs nothing: %s", got)
	}
	dir := ask(t, s.URL("postgres"), itsFolder)
	s.Stop()
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v", dir, err)
	}
}

func TestNothingIsLeftBehindByAKill(t *testing.T) {
	for name, dir := range map[string]string{"data that stay": folder(t), "data that go": ""} {
		t.Run(name, func(t *testing.T) {
			parent := exec.CommandContext(t.Context(), os.Args[0])
			parent.Env = append(os.Environ(), "DEVPG_TEST_IS_PARENT=yes", "DEVPG_TEST_DIR="+dir)
			parent.Stderr = os.Stderr
			out, err := parent.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			url, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			url = strings.TrimSpace(url)
			inTmp := ask(t, url, itsFolder)
			server := postmaster(t, ask(t, url, "select setting || '/..' from pg_settings where name = 'data_directory'"))
			if err := parent.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, out)
			_ = parent.Wait() // it was killed
			if dir != "" {
				// At once: it waits for the other server to go.
				start(t, devpg.Config{Dir: dir}).Stop()
			}
			eventually(t, "the server ends", func() bool { return errors.Is(syscall.Kill(server, 0), syscall.ESRCH) })
			eventually(t, inTmp+" is removed", func() bool {
				_, err := os.Stat(inTmp)
				return errors.Is(err, os.ErrNotExist)
			})
		})
	}
}

// postmaster is the process that the data folder names.
func postmaster(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(15 * time.Second); !is(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not yet: %s", what)
		}
	}
}

func TestAFolderHasOneServer(t *testing.T) {
	dir := folder(t)
	start(t, devpg.Config{Dir: dir, Fast: true})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var progress bytes.Buffer
	_, err := devpg.Start(ctx, devpg.Config{Dir: dir, Fast: true, Progress: &progress})
	number := strconv.Itoa(postmaster(t, dir))
	if fault.Of(err) != fault.Unavailable || !strings.Contains(err.Error(), number) {
		t.Errorf("%v", err)
	}
	want := "a Postgres still runs on " + dir + ", as process " + number + ": waiting for it to end\n"
	if diff := cmp.Diff(want, progress.String()); diff != "" {
		t.Error(diff)
	}
}

func TestSomebodyElsesPortIsNotOurs(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, text, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	_, err = devpg.Start(t.Context(), devpg.Config{Port: port, Fast: true})
	if err == nil || !strings.Contains(err.Error(), "could not bind") {
		t.Errorf("the error should tell what the server said: %v", err)
	}
}

func TestAFolderUnderAClosedOneWorksToo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pg") // closed to all but us
	s := start(t, devpg.Config{Dir: dir, Fast: true})
	t.Cleanup(func() {
		s.Stop()
		if err := os.RemoveAll(devpg.Real(dir)); err != nil {
			t.Error(err)
		}
	})
	ask(t, s.URL("postgres"), "create table kept as select 'here' as word")
	s.Stop()
	s = start(t, devpg.Config{Dir: dir, Fast: true})
	if got := ask(t, s.URL("postgres"), "select word from kept"); got != "here" {
		t.Errorf("the next time there is %q", got)
	}
	s.Stop()
}

func TestFindTellsWhereItIs(t *testing.T) {
	found, err := devpg.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(found.BinDir, "initdb")); err != nil || found.Version < 15 || found.Origin == "" {
		t.Errorf("found %+v, %v", found, err)
	}
	s := start(t, devpg.Config{Fast: true, BinDir: found.BinDir})
	if got := ask(t, s.URL("postgres"), "show server_version"); !strings.HasPrefix(got, strconv.Itoa(found.Version)) {
		t.Errorf("%d is a server of %s", found.Version, got)
	}
	if _, err := devpg.Start(t.Context(), devpg.Config{Fast: true, BinDir: t.TempDir()}); fault.Of(err) != fault.NotFound {
		t.Errorf("an empty folder: %v", err)
	}
}
