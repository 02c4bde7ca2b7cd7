package devpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"coworking/pkg/fault"

	"github.com/jackc/pgx/v5"
)

// Config is what a server runs on.
type Config struct {
	Dir      string    // where its data are; made at the first start, found again at the next. "": nowhere for long, they go with the server
	Port     int       // on 127.0.0.1; 0 finds a free one
	Fast     bool      // for tests: nothing is synced to disk, so a crash of the machine loses it
	BinDir   string    // a Postgres to take; "" looks for one, and fetches one where there is none
	Log      io.Writer // what the server says; discarded if nil
	Progress io.Writer // what is fetched or waited for, for people; discarded if nil
}

// Server is a running Postgres. It stops when its process does, also by SIGKILL.
type Server struct {
	dir    string // data/ is in it
	folder string // its socket is in it, and the data too if nobody said where they go
	port   int
	cmd    *exec.Cmd
	alive  io.Closer // the guard's pipe: once it is closed, the server stops
	exited chan struct{}
	err    error // why it exited
	stop   sync.Once
}

const (
	user         = "coworking"
	startTimeout = 30 * time.Second
	portAttempts = 5
	stopTimeout  = 12 * time.Second // the guard's ten seconds, and a little
)

// guard runs the server until standard input ends, which it does when the process
// that started it stops it, ends, or is killed. Then the server gets a fast
// shutdown, and ten seconds later an immediate one. Afterwards the guard removes the
// server's folder, for which nobody else may be left. Descriptor 3 is the
// claim on the data, which only the server keeps.
const guard = `
folder=$1
shift
exec 4<&0
"$@" </dev/null 4<&- &
server=$!
exec 3<&-
(
	read -r end <&4
	kill -INT $server
	tries=0
	while kill -0 $server && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
	kill -QUIT $server
) >/dev/null 2>&1 &
watcher=$!
exec 4<&-
wait $server
code=$?
kill $watcher
rm -rf "$folder"
exit $code
`

// Start runs a Postgres on the data in a folder, and returns when it takes
// connections. Where none is installed it fetches one. Started by root, who may not
// run Postgres, the server runs as `postgres` or `nobody`.
func Start(ctx context.Context, c Config) (*Server, error) {
	if c.Progress == nil {
		c.Progress = io.Discard
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	account, err := findAccount()
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		s, err := start(ctx, c, account)
		if err == nil {
			return s, nil
		}
		// Somebody else may have taken the port that was free a moment ago.
		if c.Port != 0 || attempt == portAttempts || !errors.Is(err, errStopped) {
			return nil, err
		}
	}
}

// errStopped is how a server ends that could not begin.
var errStopped = errors.New("the database server stopped at once")

// start is Start, once.
func start(ctx context.Context, c Config, account account) (_ *Server, err error) {
	s := &Server{port: c.Port, exited: make(chan struct{})}
	if s.port == 0 {
		if s.port, err = freePort(); err != nil {
			return nil, err
		}
	}
	if err := s.findRoom(c, account); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(s.folder) // what it was made for went wrong
		}
	}()
	found, err := choose(ctx, c, filepath.Join(s.dir, "data"))
	if err != nil {
		return nil, err
	}
	claimed, err := claim(ctx, s.dir, c.Progress)
	if err != nil {
		return nil, err
	}
	defer claimed.Close() // the server has it by then
	if err := initialise(ctx, c, found, account, s.dir); err != nil {
		return nil, err
	}
	log := &tail{}
	c.Log = io.MultiWriter(c.Log, log)
	if err := s.run(c, found, account, claimed); err != nil {
		return nil, err
	}
	if err := s.ready(ctx); err != nil {
		s.Stop()
		return nil, fault.Of(err).Errorf("%w\n%s", err, lines(log.bytes(), 5))
	}
	return s, nil
}

// findRoom makes the folders that the server needs. A socket's path may have some
// hundred characters only, so it gets one of its own.
func (s *Server) findRoom(c Config, account account) (err error) {
	if s.folder, err = os.MkdirTemp(place(c), "cwpg"); err != nil {
		return fault.Internal.Errorf("a folder for the database's socket: %w", err)
	}
	if err = account.own(s.folder); err == nil {
		if s.dir = s.folder; c.Dir != "" {
			s.dir, err = account.place(c.Dir)
		}
	}
	if err != nil {
		_ = os.RemoveAll(s.folder) // nothing is in it
	}
	return err
}

// URL is the address of one of its databases.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", user, s.port, database)
}

// Exited is closed when the server has stopped, whoever wanted it.
func (s *Server) Exited() <-chan struct{} { return s.exited }

// Stop shuts the server down and waits until it is. It may be called twice.
func (s *Server) Stop() {
	s.stop.Do(func() {
		_ = s.alive.Close() // a pipe; the guard sees its end
		select {
		case <-s.exited:
		case <-time.After(stopTimeout):
			_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
			<-s.exited
		}
		_ = os.RemoveAll(s.folder) // the guard did, if it was not killed
	})
}

// run starts the server under its guard.
func (s *Server) run(c Config, found Found, account account, claimed *os.File) (err error) {
	settings := []string{
		"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(s.port), "unix_socket_directories=" + s.folder,
		"max_connections=200", "shared_buffers=256MB", "max_wal_size=2GB",
		"timezone=UTC", "log_timezone=UTC",
	}
	if c.Fast {
		settings = append(settings,
			"fsync=off", "synchronous_commit=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0",
			"shared_buffers=32MB", // of larger ones each new database and each connection touches more pages
		)
	}
	args := []string{"-c", guard, "guard", s.folder, filepath.Join(found.BinDir, "postgres"), "-D", filepath.Join(s.dir, "data")}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	s.cmd = exec.Command("/bin/sh", args...)
	s.cmd.Dir = s.dir
	s.cmd.Env = environment()
	s.cmd.Stdout, s.cmd.Stderr = c.Log, c.Log
	s.cmd.ExtraFiles = []*os.File{claimed}
	s.cmd.SysProcAttr = account.attributes()
	s.cmd.SysProcAttr.Setpgid = true // Ctrl-C is for us: we stop the server when its clients are gone
	if s.alive, err = s.cmd.StdinPipe(); err != nil {
		return fault.Internal.Errorf("starting Postgres: %w", err)
	}
	if err := s.cmd.Start(); err != nil {
		return fault.Internal.Errorf("starting Postgres: %w", err)
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.exited)
	}()
	return nil
}

// ready waits until the server takes connections. It asks at the socket, which is
// ours alone: at the port somebody else's server may answer.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		conn, err := pgx.Connect(ctx, fmt.Sprintf("postgres://%s@/postgres?host=%s&port=%d", user, s.folder, s.port))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-poll.C:
		case <-s.exited:
			return fault.Internal.Errorf("%w (%v)", errStopped, s.err)
		case <-ctx.Done():
			return fault.Unavailable.Errorf("Postgres does not take connections: %w", err)
		}
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	const most = 4 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-most):]
	return len(p), nil
}

func (t *tail) bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.text)
}

func freePort() (int, error) {
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, fault.Unavailable.Errorf("a free port for Postgres: %w", err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err := errors.Join(err, listener.Close()); err != nil {
		return 0, fault.Unavailable.Errorf("a free port for Postgres: %w", err)
	}
	return strconv.Atoi(port)
}
