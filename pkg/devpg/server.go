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
	Dir      string    // where its data is; made at the first start, found again at the next
	Port     int       // on 127.0.0.1; 0 finds a free one
	Fast     bool      // for tests: nothing is synced to disk, so a crash of the machine loses it
	Log      io.Writer // what the server says; discarded if nil
	Progress io.Writer // what is fetched or set up, for people; discarded if nil
}

// Server is a running Postgres. It stops when its process does, also by SIGKILL.
type Server struct {
	dir, socket string
	port        int
	cmd         *exec.Cmd
	alive       io.Closer // the guard's pipe: once it is closed, the server stops
	exited      chan struct{}
	err         error // why it exited
	stop        sync.Once
}

const (
	user         = "coworking"
	startTimeout = 30 * time.Second
	portAttempts = 5
	stopTimeout  = 12 * time.Second // the guard's ten seconds, and a little
)

// guard runs the server until standard input ends, which it does when the process
// that started it stops it, ends, or is killed. Then the server gets a fast
// shutdown, and ten seconds later an immediate one. The socket's folder, $0, goes
// with it.
const guard = `
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
(
	cat <&3 >/dev/null
	kill -INT $server
	tries=0
	while kill -0 $server && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
	kill -QUIT $server
) >/dev/null 2>&1 &
exec 3<&-
wait $server
status=$?
rm -rf -- "$0"
exit $status
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
	found, err := FindOrFetch(ctx, c.Progress)
	if err != nil {
		return nil, err
	}
	account, err := findAccount()
	if err != nil {
		return nil, err
	}
	dir, err := account.place(c.Dir)
	if err != nil {
		return nil, err
	}
	if err := initialise(ctx, found, account, dir); err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		s := &Server{dir: dir, port: c.Port, exited: make(chan struct{})}
		err := s.start(ctx, c, found, account)
		if err == nil {
			return s, nil
		}
		// Somebody else may have taken the port that was free a moment ago.
		if c.Port != 0 || attempt == portAttempts || ctx.Err() != nil {
			return nil, err
		}
	}
}

// start runs the server and waits until it takes connections; if it does not, it
// is stopped again.
func (s *Server) start(ctx context.Context, c Config, found Found, account account) (err error) {
	if s.port == 0 {
		if s.port, err = freePort(); err != nil {
			return err
		}
	}
	log := &tail{}
	c.Log = io.MultiWriter(c.Log, log)
	if err := s.run(c, found, account); err != nil {
		return err
	}
	if err := s.ready(ctx); err != nil {
		s.Stop()
		return fault.Internal.Errorf("%w\n%s", err, lines(log.bytes(), 5))
	}
	return nil
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
		_ = os.RemoveAll(s.socket)
	})
}

// initialise makes the data folder, once. It is made beside its place and moved
// there when done, so that a half-made one is never found.
func initialise(ctx context.Context, found Found, account account, dir string) error {
	data := filepath.Join(dir, "data")
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); err == nil {
		return checkVersion(data, found)
	}
	scratch := filepath.Join(dir, "initdb")
	if err := os.RemoveAll(scratch); err != nil {
		return fault.Internal.Errorf("the database's folder: %w", err)
	}
	// No password: only this machine can connect, and what it holds is the
	// laptop's own.
	initdb := exec.CommandContext(ctx, filepath.Join(found.BinDir, "initdb"), "-D", scratch, "-U", user, "-A", "trust",
		"-E", "UTF8", "--locale=C", "--data-checksums", "--no-sync", "--no-instructions")
	initdb.Dir = dir
	initdb.SysProcAttr = account.attributes()
	if out, err := initdb.CombinedOutput(); err != nil {
		return fault.Internal.Errorf("initdb: %w\n%s", err, lines(out, 5))
	}
	if err := os.Rename(scratch, data); err != nil {
		return fault.Internal.Errorf("the database's folder: %w", err)
	}
	return nil
}

// checkVersion refuses data of another major version, which Postgres cannot read.
func checkVersion(data string, found Found) error {
	made, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err != nil {
		return fault.Internal.Errorf("the database's folder: %w", err)
	}
	if v, _ := strconv.Atoi(string(bytes.TrimSpace(made))); v != found.Version {
		return fault.Internal.Errorf("%s was made by Postgres %d, and %d is installed: install %d, or take another folder",
			data, v, found.Version, v)
	}
	return nil
}

// run starts the server under its guard.
func (s *Server) run(c Config, found Found, account account) error {
	// A socket's path may have some hundred characters only, so not in Dir.
	socket, err := os.MkdirTemp("/tmp", "cwpg")
	if err != nil {
		return fault.Internal.Errorf("a folder for the database's socket: %w", err)
	}
	s.socket = socket
	if err := account.own(socket); err != nil {
		return err
	}
	settings := []string{
		"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(s.port), "unix_socket_directories=" + socket,
		"max_connections=200", "shared_buffers=256MB", "max_wal_size=2GB",
		"timezone=UTC", "log_timezone=UTC",
	}
	if c.Fast {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	}
	args := []string{"-c", guard, socket, filepath.Join(found.BinDir, "postgres"), "-D", filepath.Join(s.dir, "data")}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	s.cmd = exec.Command("/bin/sh", args...)
	s.cmd.Dir = s.dir
	s.cmd.Stdout, s.cmd.Stderr = c.Log, c.Log
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

// ready waits until the server takes connections.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-poll.C:
		case <-s.exited:
			return fault.Internal.Errorf("Postgres stopped at once: %w", s.err)
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
