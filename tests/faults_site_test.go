package tests

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"coworking/pkg/devpg"
	"coworking/pkg/stream"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// What the workers of a site are told. Batches are small, so that there is hardly an
// instant without one in hand; what a killed worker held comes again after ackWait.
const (
	batchSize    = 300
	writeTimeout = 2 * time.Second
	ackWait      = 4 * writeTimeout
)

// site is the whole system, each part a process of its own that can be killed: a
// broker and a Postgres that sync what they acknowledge, and two workers on one
// durable.
type site struct {
	t      *testing.T
	dir    string
	ingest string // the binary

	leash   *exec.Cmd // whose process group everything but Postgres is in
	holder  io.Closer
	broker  *process
	workers [2]*process
	leaving []*process // workers that were asked to end

	database     *devpg.Server
	databaseLog  *os.File
	databasePort int
	brokerAddr   string
	monitorAddr  string

	js     jetstream.JetStream
	pool   *pgxpool.Pool
	ledger *ledger
	crowds int
}

// open starts a site and stops it when the test ends. Of a test that failed, the
// folder with its data and logs stays.
func open(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, ingest: ingest(t)}
	s.makeFolder()
	s.openLedger()
	s.startLeash()
	s.brokerAddr = "127.0.0.1:" + strconv.Itoa(freePort(t))
	s.monitorAddr = "127.0.0.1:" + strconv.Itoa(freePort(t))
	s.databasePort = freePort(t)
	s.startBroker()
	s.startDatabase()
	t.Cleanup(func() { s.database.Stop() })
	s.connect()
	s.verb("setup", "--ack-wait", ackWait.String(), "--max-bytes", "2147483648")
	s.verb("migrate", "up")
	for i := range s.workers {
		s.startWorker(i)
	}
	return s
}

func (s *site) makeFolder() {
	s.t.Helper()
	dir, err := os.MkdirTemp("", "coworking-faults-")
	if err != nil {
		s.t.Fatal(err)
	}
	s.dir = dir
	s.t.Cleanup(func() {
		if s.t.Failed() {
			s.t.Logf("data and logs are kept in %s", dir)
			return
		}
		if err := errors.Join(os.RemoveAll(devpg.Real(s.path("postgres"))), os.RemoveAll(dir)); err != nil {
			s.t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil { // root's Postgres runs as somebody else
		s.t.Fatal(err)
	}
}

func (s *site) openLedger() {
	s.t.Helper()
	l, err := openLedger(s.path("ledger"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { l.file.Close() })
	s.ledger = l
}

// path is a file in the site's folder.
func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

// startLeash makes the process group that all children are in. However the test
// ends, by kill -9 too, the pipe that it holds is closed, and with the group's first
// process go all others. Postgres has a guard of its own, which does the same.
func (s *site) startLeash() {
	s.t.Helper()
	s.leash = exec.Command("/bin/sh", "-c", "cat >/dev/null; kill -KILL 0")
	s.leash.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	holder, err := s.leash.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.holder = holder
	if err := s.leash.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(s.endAll)
}

// endAll kills every process of the site, and makes sure that none is left.
func (s *site) endAll() {
	for _, p := range append(slices.Clone(s.leaving), s.broker, s.workers[0], s.workers[1]) {
		if p != nil {
			p.kill()
		}
	}
	group := s.leash.Process.Pid
	s.holder.Close()
	_ = s.leash.Wait() // it kills itself
	eventually(s.t, "no process is left behind", func() bool {
		return errors.Is(syscall.Kill(-group, 0), syscall.ESRCH)
	})
}

// process is a part of the site that can be killed.
type process struct {
	name   string
	cmd    *exec.Cmd
	exited chan struct{}
	err    error // how it ended; to be read once it has

	mu    sync.Mutex
	meant bool // that it ends
}

// start runs a program; what it says goes to a log in the site's folder.
func (s *site) start(name string, environ []string, command ...string) *process {
	s.t.Helper()
	log, err := os.OpenFile(s.path(name+".log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close() // the child has its own
	p := &process{name: name, cmd: exec.Command(command[0], command[1:]...), exited: make(chan struct{})}
	p.cmd.Env = append(environment(), environ...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: s.leash.Process.Pid}
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		p.mu.Lock()
		meant := p.meant
		p.mu.Unlock()
		if !meant {
			s.t.Errorf("%s ended by itself: %v", name, p.err)
		}
		close(p.exited)
	}()
	return p
}

// signal sends a signal; after one that ends a process, it is meant to end.
func (p *process) signal(signal syscall.Signal) {
	if signal == syscall.SIGKILL || signal == syscall.SIGTERM {
		p.mu.Lock()
		p.meant = true
		p.mu.Unlock()
	}
	_ = p.cmd.Process.Signal(signal) // it may have ended
}

// kill is kill -9.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.exited
}

func (s *site) startBroker() {
	s.t.Helper()
	s.broker = s.start("broker", []string{
		"FAULTS_ROLE=broker", "FAULTS_DIR=" + s.path("stream"), "FAULTS_ADDR=" + s.brokerAddr, "FAULTS_MONITOR_ADDR=" + s.monitorAddr,
	}, os.Args[0], "-test.run=^TestOtherProcess$", "-test.timeout=0")
}

func (s *site) startWorker(i int) {
	s.t.Helper()
	s.workers[i] = s.start("ingest-"+strconv.Itoa(i), append(s.addresses(), "INTAKE_ADDR=127.0.0.1:0",
		"NATS_MONITOR_URL=http://"+s.monitorAddr, "BATCH_SIZE="+strconv.Itoa(batchSize), "WRITE_TIMEOUT="+writeTimeout.String(),
	), s.ingest, "run")
}

// addresses is the environment of every verb of ingest.
func (s *site) addresses() []string {
	return []string{"DATABASE_URL=" + s.database.URL("postgres"), "NATS_URL=nats://" + s.brokerAddr}
}

func (s *site) startDatabase() {
	s.t.Helper()
	if s.databaseLog == nil {
		log, err := os.Create(s.path("postgres.log"))
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { log.Close() })
		s.databaseLog = log
	}
	database, err := devpg.Start(s.t.Context(), devpg.Config{
		Dir: s.path("postgres"), Port: s.databasePort, Log: s.databaseLog, Progress: os.Stderr,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.database = database
}

// crashDatabase makes every process of Postgres end at once, without a checkpoint,
// and waits until they have.
func (s *site) crashDatabase() {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(devpg.Real(s.path("postgres")), "data", "postmaster.pid"))
	if err != nil {
		s.t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
		s.t.Fatalf("Postgres ended by itself: %v", err)
	}
	<-s.database.Exited()
	s.database.Stop() // its guard
}

// connect gives the test its own connections, which outlast every crash.
func (s *site) connect() {
	s.t.Helper()
	conn, js, err := stream.Connect("nats://"+s.brokerAddr, "kill loop", zap.NewNop())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(conn.Close)
	s.js = js
	if s.pool, err = pgxpool.New(s.t.Context(), s.database.URL("postgres")); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(s.pool.Close)
}

// verb runs a verb of ingest that must succeed.
func (s *site) verb(args ...string) {
	s.t.Helper()
	if out, code := s.try(args...); code != 0 {
		s.t.Fatalf("ingest %s ended with %d:\n%s", strings.Join(args, " "), code, out)
	}
}

// try runs a verb of ingest to its end, and gives what it printed and its exit code.
// What it says to people follows what it prints.
func (s *site) try(args ...string) (out string, code int) {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(s.t.Context(), s.ingest, args...)
	cmd.Env = append(environment(), s.addresses()...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		s.t.Fatal(err)
	}
	return stdout.String() + stderr.String(), cmd.ProcessState.ExitCode()
}

// drained waits until nothing is left to do: no message waits or is unanswered, no
// space-day is to be filed anew, and who was asked to end has ended well.
func (s *site) drained() {
	s.t.Helper()
	for _, p := range s.leaving {
		eventually(s.t, p.name+" ends after SIGTERM", func() bool {
			select {
			case <-p.exited:
				return true
			default:
				return false
			}
		})
		if p.err != nil {
			s.t.Errorf("%s after SIGTERM: %v", p.name, p.err)
		}
	}
	s.leaving = nil
	eventually(s.t, "all is settled", func() bool {
		info, err := s.durable()
		if err != nil || info.NumPending > 0 || info.NumAckPending > 0 {
			return false
		}
		refiling := 1
		err = s.pool.QueryRow(s.t.Context(), "select count(*) from refile").Scan(&refiling)
		return err == nil && refiling == 0
	})
}

// durable is what the broker says of the durable that the workers share.
func (s *site) durable() (*jetstream.ConsumerInfo, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Second)
	defer cancel()
	consumer, err := s.js.Consumer(ctx, stream.Name, stream.Durable(0))
	if err != nil {
		return nil, err
	}
	return consumer.CachedInfo(), nil
}

// rows is a query's answer, the rows as structs by their columns' names.
func rows[T any](s *site, sql string) []T {
	s.t.Helper()
	answer, err := s.pool.Query(s.t.Context(), sql)
	if err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
	all, err := pgx.CollectRows(answer, pgx.RowToStructByName[T])
	if err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
	return all
}

// exec runs a statement.
func (s *site) exec(sql string) {
	s.t.Helper()
	if _, err := s.pool.Exec(s.t.Context(), sql); err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
}

// ingest is the worker's binary, which looks for data races where the tests do.
func ingest(t *testing.T) string {
	t.Helper()
	dir, err := binaries()
	if err != nil {
		t.Fatalf("building the binaries: %v", err)
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || !slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		return filepath.Join(dir, "ingest")
	}
	racing, err := racingIngest()
	if err != nil {
		t.Fatalf("building ingest: %v", err)
	}
	return racing
}

// racingIngest is built beside the other binaries, once.
var racingIngest = sync.OnceValues(func() (string, error) {
	dir, err := binaries()
	if err != nil {
		return "", err
	}
	racing := filepath.Join(dir, "ingest-race")
	build := exec.Command("go", "build", "-race", "-buildvcs=false", stripped, "-o", racing, "./services/ingest")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return racing, nil
})

// freePort is one that nobody listens on, below those that systems give to clients:
// a client that tries again and again to reach a server that is down could else be
// given the server's own port, and keep it from coming back.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 20_000 + rand.IntN(12_000)
		listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		return port
	}
	t.Fatal("no free port")
	return 0
}
