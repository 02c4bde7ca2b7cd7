package tests

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// patience is how long a test waits for what has to come; nothing here takes a
// quarter of it on two cores.
const patience = 120 * time.Second

// stripped leaves out of a binary what a debugger would read, which is a third of the work
// of linking it.
const stripped = "-ldflags=-s -w"

// asBuilt is how `make build` builds. What else is built here for a user is built so too,
// with -trimpath: else the standard library would be compiled once more.
const asBuilt = "CGO_ENABLED=0"

// binaries is a folder with the binaries that these tests run: copies of what `make
// build` makes of this very tree, which has nothing left to do where it has just run.
// Copies, since somebody may build again meanwhile.
var binaries = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "coworking-bin-")
	if err != nil {
		return "", err
	}
	built = dir
	build := exec.Command("make", "build")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	for _, name := range []string{"ingest", "query", "coworking"} {
		if out, err := exec.Command("cp", filepath.Join("..", "bin", name), dir).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w\n%s", err, out)
		}
	}
	return dir, nil
})

// TestMain removes what was built and prepared.
func TestMain(m *testing.M) {
	m.Run()
	os.RemoveAll(built)
	os.RemoveAll(prepared)
}

// built is where the binaries are, once they are.
var built string

// coworking is the tool; its services are beside it.
func coworking(t *testing.T) string {
	t.Helper()
	dir, err := binaries()
	if err != nil {
		t.Fatalf("building the binaries: %v", err)
	}
	return filepath.Join(dir, "coworking")
}

// folder is a data folder that Postgres can reach also where root runs the tests.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, passed := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(passed, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			printLogs(t, dir)
		}
	})
	return dir
}

func printLogs(t *testing.T, dir string) {
	t.Helper()
	logs, _ := filepath.Glob(filepath.Join(dir, "logs", "*.log")) // the pattern is well formed
	for _, name := range logs {
		text, _ := os.ReadFile(name) // a log that is not there says nothing
		t.Logf("%s:\n%s", filepath.Base(name), text[max(0, len(text)-4000):])
	}
}

// settled is a data folder where a system has started before and kept nothing since: it
// starts in half the time. What a first start does is up to the tests that begin with a
// folder of their own.
func settled(t *testing.T) string {
	t.Helper()
	from, err := firstStart()
	if err != nil {
		t.Fatalf("a first start: %v", err)
	}
	dir := folder(t)
	if info, err := os.Lstat(filepath.Join(from, "postgres")); err != nil || !info.IsDir() {
		return dir // root's Postgres, which runs as somebody else, cannot come here: its data are elsewhere, and made anew
	}
	for _, kept := range []string{"broker", "postgres"} {
		if out, err := exec.CommandContext(t.Context(), "cp", "-a", filepath.Join(from, kept), dir).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return dir
}

// firstStart starts a system on a folder, once a test process, and ends it when it is ready.
var firstStart = sync.OnceValues(func() (string, error) {
	bin, err := binaries()
	if err != nil {
		return "", err
	}
	if prepared, err = os.MkdirTemp("", "coworking-settled-"); err != nil {
		return "", err
	}
	if err := os.Chmod(prepared, 0o711); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "coworking"), upOn(prepared)...)
	said := &lines{}
	cmd.Env, cmd.Stderr = environment(), said
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	ready, _ := bufio.NewReader(stdout).ReadString('\n') // what is missing is seen below
	_ = cmd.Process.Signal(os.Interrupt)                 // it may have ended
	if err := cmd.Wait(); err != nil || ready != "ready\n" {
		return "", fmt.Errorf("%q, %w\n%s", ready, err, said)
	}
	return prepared, nil
})

// prepared is where that was, once it has been.
var prepared string

// upOn is how a system is started on a folder, at free ports.
func upOn(dir string) []string {
	return []string{"up", "--data", dir, "--query-addr", "127.0.0.1:0", "--intake-addr", "127.0.0.1:0", "--nats-addr", "127.0.0.1:0"}
}

// system is a running `coworking up`.
type system struct {
	t       *testing.T
	dir     string
	cmd     *exec.Cmd
	said    *lines // on standard error
	query   string // http://host:port
	exited  chan struct{}
	failure error
}

// lines is what a process says, as it says it.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// up starts a system on a folder, at free ports, with more variables in its
// environment, and waits until it says that it is ready.
func up(t *testing.T, dir string, variables ...string) *system {
	t.Helper()
	s := start(t, dir, upOn(dir)...)
	s.cmd.Env = append(s.cmd.Env, variables...)
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.run()
	first := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		first <- line
		_, _ = io.Copy(io.Discard, stdout) // until it ends
	}()
	select {
	case line := <-first:
		if line != "ready\n" {
			t.Fatalf("it said %q on standard output, and else:\n%s", line, s.said)
		}
	case <-time.After(patience):
		t.Fatalf("not ready after %v:\n%s", patience, s.said)
	}
	s.query = "http://" + s.running().QueryAddr
	return s
}

// start is a process of the tool, not yet run.
func start(t *testing.T, dir string, args ...string) *system {
	t.Helper()
	s := &system{t: t, dir: dir, said: &lines{}, exited: make(chan struct{})}
	s.cmd = exec.Command(coworking(t), args...)
	s.cmd.Stderr = s.said
	s.cmd.Env = environment()
	return s
}

// environment is ours, without what would lead the tool elsewhere.
func environment() []string {
	var kept []string
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); name != "DATABASE_URL" && name != "NATS_URL" {
			kept = append(kept, variable)
		}
	}
	return kept
}

func (s *system) run() {
	s.t.Helper()
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		s.failure = s.cmd.Wait()
		close(s.exited)
	}()
	s.t.Cleanup(func() {
		s.signal(os.Interrupt) // not a kill: nobody may write to the folder any more when it is removed
		if s.t.Failed() {
			s.t.Logf("it said:\n%s", s.said)
		}
	})
}

// signal sends a signal, and waits for the end.
func (s *system) signal(signal os.Signal) {
	s.t.Helper()
	_ = s.cmd.Process.Signal(signal) // it may have ended
	select {
	case <-s.exited:
	case <-time.After(patience):
		s.t.Fatalf("still there %v after %v:\n%s", patience, signal, s.said)
	}
}

// running is what the data folder says of a system that runs.
type running struct {
	DatabaseURL string         `json:"database_url"`
	NATSURL     string         `json:"nats_url"`
	QueryAddr   string         `json:"query_addr"`
	IntakeAddr  string         `json:"intake_addr"`
	Children    map[string]int `json:"children"`
}

func (s *system) running() running {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "running.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	var r running
	if err := json.Unmarshal(text, &r); err != nil {
		s.t.Fatal(err)
	}
	return r
}

// processes is the process ids of all parts.
func (s *system) processes() map[string]int {
	s.t.Helper()
	all := s.running().Children
	if len(all) != 2 || all["ingest"] == 0 || all["query"] == 0 {
		s.t.Fatalf("children: %v", all)
	}
	all["coworking"] = s.cmd.Process.Pid
	text, err := os.ReadFile(filepath.Join(s.dir, "postgres", "data", "postmaster.pid"))
	if err != nil {
		s.t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	if all["postgres"], err = strconv.Atoi(first); err != nil {
		s.t.Fatal(err)
	}
	return all
}

// alive says whether a process is there, and not only waiting for somebody to ask
// how it ended.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	if runtime.GOOS == "linux" {
		status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		return err == nil && !strings.Contains(string(status), ") Z ")
	}
	state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(state)), "Z")
}

// eventually waits until something holds. It asks less and less often: what takes long
// is not to be kept from its work by being asked.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	pause := 10 * time.Millisecond
	for !holds() {
		pause = min(pause*3/2, 200*time.Millisecond)
		select {
		case <-time.After(pause):
		case <-deadline.C:
			t.Fatalf("never within %v: %s", patience, what)
		}
	}
}

// get is the body of a page, "" if it is not answered well.
func get(address string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return ""
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return ""
	}
	return string(body)
}

// tool runs the tool to its end.
func (s *system) tool(stdin string, args ...string) (out string, err error) {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(s.t.Context(), coworking(s.t), args...)
	cmd.Env = append(slices.Clip(s.cmd.Env), "NATS_URL="+s.running().NATSURL)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if err = cmd.Run(); err != nil {
		err = fmt.Errorf("%w\n%s", err, &stderr)
	}
	return stdout.String(), err
}

// checkIns is so many check-ins of as many members, on a Monday long past.
func checkIns(first, count int) string {
	var all strings.Builder
	for n := first; n < first+count; n++ {
		fmt.Fprintf(&all, `{"specversion":"1.0","id":"%d","source":"door","type":"coworking.v1.checkin","time":"2026-03-02T09:00:00Z","subject":"%d","data":{"space":"soho"}}`+"\n", n, n)
	}
	return all.String()
}

// counted waits until a day has so many check-ins.
func (s *system) counted(want int) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%d check-ins", want), func() bool {
		page := get(s.query + "/api/v1/reports/daily_usage?space=soho&from=2026-03-02&to=2026-03-03")
		var answer struct {
			Data []struct {
				Checkins int `json:"checkins"`
			} `json:"data"`
		}
		return json.Unmarshal([]byte(page), &answer) == nil && len(answer.Data) == 1 && answer.Data[0].Checkins == want
	})
}

func TestDataSurvivesARestartAndCtrlCLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := up(t, dir)
	if out, err := s.tool(checkIns(0, 7), "publish", "-"); err != nil || !strings.HasPrefix(out, "stored  7\nrefused 0\n") {
		t.Fatalf("%s%v", out, err)
	}
	s.counted(7)
	if out, err := s.tool(checkIns(0, 9), "publish", "-"); err != nil || !strings.HasPrefix(out, "stored  9\n") { // seven of them again
		t.Fatalf("%s%v", out, err)
	}
	s.counted(9)

	parts := s.processes()
	s.signal(os.Interrupt)
	if s.failure != nil {
		t.Errorf("Ctrl-C: %v\n%s", s.failure, s.said)
	}
	for name, pid := range parts {
		if alive(pid) {
			t.Errorf("%s is still there", name)
		}
	}
	s = up(t, dir)
	s.counted(9)
}

func TestAKillLeavesNothingAndNothingIsLost(t *testing.T) {
	t.Parallel()
	dir := settled(t)
	s := up(t, dir)
	if out, err := s.tool(checkIns(0, 500), "publish", "-"); err != nil {
		t.Fatalf("%s%v", out, err)
	}
	s.counted(500) // what is in hand at a kill comes again a minute later: too long for here
	parts := s.processes()
	s.signal(os.Kill)
	again := up(t, dir) // at once: it waits for what is still on its way out
	for name, pid := range parts {
		eventually(t, name+" ends", func() bool { return !alive(pid) })
	}
	if out, err := again.tool(checkIns(400, 200), "publish", "-"); err != nil {
		t.Fatalf("%s%v", out, err)
	}
	again.counted(600)
}

func TestAPartThatDiesIsStartedAgain(t *testing.T) {
	t.Parallel()
	s := up(t, settled(t))
	for _, part := range []string{"ingest", "query", "postgres"} {
		before := s.processes()[part]
		if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, part+" is back", func() bool {
			return !alive(before) && get(s.query+"/readyz") != "" && get("http://"+s.running().IntakeAddr+"/readyz") != ""
		})
	}
	if out, err := s.tool(checkIns(0, 3), "publish", "-"); err != nil {
		t.Fatalf("%s%v", out, err)
	}
	s.counted(3)
}

func TestTheEnvironmentIsForAShell(t *testing.T) {
	t.Parallel()
	s := up(t, settled(t))
	script := `eval "$("$0" env --data "$1")" && printf '%s\n' "$DATABASE_URL" "$NATS_URL"`
	out, err := exec.CommandContext(t.Context(), "/bin/sh", "-c", script, coworking(t), s.dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := s.running().DatabaseURL + "\n" + s.running().NATSURL + "\n"
	if diff := cmp.Diff(want, string(out)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.signal(os.Interrupt)
	cmd := exec.CommandContext(t.Context(), coworking(t), "env", "--data", s.dir)
	if out, err := cmd.Output(); err == nil || len(out) > 0 {
		t.Errorf("of a system that does not run: %q, %v", out, err)
	}
}

func TestASystemDoesNotStartInAnothersPlace(t *testing.T) {
	t.Parallel()
	s := up(t, settled(t))
	at := s.running()
	cases := map[string]struct {
		args []string
		want string
	}{
		"the same folder":      {[]string{"--data", s.dir}, "a system runs on " + s.dir + " already"},
		"reports' address":     {[]string{"--data", folder(t), "--query-addr", at.QueryAddr}, "by --query-addr"},
		"intake's address":     {[]string{"--data", folder(t), "--query-addr", "127.0.0.1:0", "--intake-addr", at.IntakeAddr}, "by --intake-addr"},
		"the broker's address": {[]string{"--data", folder(t), "--query-addr", "127.0.0.1:0", "--intake-addr", "127.0.0.1:0", "--nats-addr", strings.TrimPrefix(at.NATSURL, "nats://")}, "by --nats-addr"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), coworking(t), append([]string{"up"}, c.args...)...)
			cmd.Env = environment()
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), c.want) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	if get(s.query+"/readyz") == "" {
		t.Error("the first one was harmed")
	}
}

// A sample of the old system: used before issued, used on another date, unused,
// with and without microseconds, a user without tokens.
func TestTheOldSystemIsImportedOnceHoweverOften(t *testing.T) {
	t.Parallel()
	s := up(t, settled(t))
	sample := "../cmd/coworking/internal/legacy/testdata/"
	scripts := []string{"import", "legacy", "--sql", sample + "1_schema.sql", "--sql", sample + "2_users.sql", "--sql", sample + "3_tokens.sql"}
	dump := []string{"import", "legacy", "--sql", sample + "pg_dump.sql"}
	for _, args := range [][]string{scripts, dump, scripts} {
		if out, err := s.tool("", args...); err != nil || out != "stored  11\nrefused 0\n" {
			t.Fatalf("%s%v", out, err)
		}
	}
	usage := `{"2024-02-25":1,"2024-03-27":1,"2024-03-31":1}` + "\n"
	visits := `{"1":{"joined_at":"2024-02-03 22:55:26","visits":2},` +
		`"2":{"joined_at":"2024-01-04 00:13:05.322499","visits":1},` +
		`"3":{"joined_at":"2024-03-24 14:07:08.819800","visits":1}}` + "\n"
	eventually(t, "all tokens are counted", func() bool { return get(s.query+"/api/reports/user_visits") == visits })
	if diff := cmp.Diff(usage, get(s.query+"/api/reports/daily_usage")); diff != "" {
		t.Errorf("daily_usage (-want +got):\n%s", diff)
	}
}

func TestAFileThatIsNotWhollyStoredIsAFailure(t *testing.T) {
	t.Parallel()
	s := up(t, settled(t))
	poison := `{"specversion":"1.0","id":"x","source":"door","type":"coworking.v1.checkin","time":"2026-03-02T09:00:00Z","data":{"space":"soho","metod":"door"}}`
	out, err := s.tool(checkIns(0, 4)+poison+"\n"+checkIns(4, 1), "publish", "-")
	failure, ok := errors.AsType[*exec.ExitError](err)
	if !ok || failure.ExitCode() != 1 {
		t.Errorf("%v", err)
	}
	want := "stored  5\nrefused 1\n  1 × unknown_field: line 5\n"
	if !strings.HasPrefix(out, want) {
		t.Errorf("%s", out)
	}
	s.counted(5)
}

func TestASpaceIsSetAndListed(t *testing.T) {
	t.Parallel()
	s := up(t, settled(t))
	if out, err := s.tool("", "space", "set", "soho", "--zone", "America/New_York", "--capacity", "40", "--opening-hours", "mon-fri 08:00-18:00"); err != nil {
		t.Fatalf("%s%v", out, err)
	}
	out, err := s.tool("", "space", "list")
	want := "SPACE  NAME  TIME ZONE         SEATS  DAY STARTS  STAY  OPEN\n" +
		"soho   ?     America/New_York  40     00:00       4h0m  mon-fri 08:00-18:00\n"
	if diff := cmp.Diff(want, out); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestDoctorKnowsARunningSystem(t *testing.T) {
	t.Parallel()
	s := up(t, settled(t))
	out, err := s.tool("", "doctor", "--data", s.dir)
	if err != nil {
		t.Errorf("%v", err)
	}
	for _, want := range []string{"✓ ingest is ready on ", "✓ query is ready on ", "✓ Postgres "} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestTheDemoShowsAQuarterOfAYear(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, dir, "demo", "--members", "60", "--rate", "50", "--query-addr", "127.0.0.1:0", "--intake-addr", "127.0.0.1:0", "--nats-addr", "127.0.0.1:0")
	shown := &lines{}
	s.cmd.Stdout = shown
	s.cmd.Env = append(s.cmd.Env, "TMPDIR="+dir, "DATABASE_URL=postgres://somebody@elsewhere/precious")
	s.run()
	eventually(t, "the addresses are shown", func() bool { return strings.Contains(shown.String(), "until Ctrl-C") })
	for _, want := range []string{"berlin-mitte         Europe/Berlin", "new-york-soho        America/New_York", "kathmandu-thamel     Asia/Kathmandu"} {
		if !strings.Contains(shown.String(), want) {
			t.Errorf("no %q in\n%s", want, shown)
		}
	}
	_, address, _ := strings.Cut(shown.String(), "Open     ")
	address, _, _ = strings.Cut(address, "\n")
	before := get(address + "/api/v1/reports/daily_usage?format=ndjson")
	if before == "" {
		t.Errorf("nothing at %s", address)
	}
	eventually(t, "live traffic is counted", func() bool {
		now := get(address + "/api/v1/reports/daily_usage?format=ndjson")
		return now != "" && now != before
	})
	s.signal(os.Interrupt)
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 || s.failure != nil {
		t.Errorf("left behind: %v, %v, %v", left, err, s.failure)
	}
}
