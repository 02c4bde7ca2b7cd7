// Package system is the whole system on one machine: a broker in this process, a
// Postgres, and the services' own binaries as children.
//
// Everything it keeps is in one folder: broker/ and postgres/ with the data, logs/
// with what the parts say, running.json with where they are while they run, and
// lock, which lets one system at a time run there.
package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"coworking/pkg/devbroker"
	"coworking/pkg/fault"
	"coworking/pkg/pg"
	"coworking/pkg/stream"

	"golang.org/x/sync/errgroup"
)

// Config is where the system keeps its data and where it listens.
type Config struct {
	Dir         string
	QueryAddr   string // host:port of the reports; port 0 finds a free one, here and below
	IntakeAddr  string // of the ingest service
	NATSAddr    string // of the broker
	DatabaseURL pg.URL // a database to use; a Postgres of our own if empty
	Say         func(string)
}

// goodbye is how long a system that was killed may need to let go of its ports and
// its database.
const goodbye = 20 * time.Second

// Run starts every part in the order in which one needs the other, keeps them
// running, and stops them in the opposite order when the context ends. Once both
// services say that they are ready it calls ready, whose error ends the system too;
// ready's context ends when the system is about to stop.
func Run(ctx context.Context, c Config, ready func(context.Context, Running) error) error {
	if err := c.check(); err != nil {
		return err
	}
	binaries, err := findBinaries()
	if err != nil {
		return err
	}
	release, err := c.takeFolder(ctx)
	if err != nil {
		return err
	}
	defer release()

	patience := time.Duration(0)
	if _, err := os.Stat(runningFile(c.Dir)); err == nil {
		patience = goodbye // the last one did not stop by itself
	}
	err = reserve(ctx, patience,
		place{"--query-addr", &c.QueryAddr}, place{"--intake-addr", &c.IntakeAddr}, place{"--nats-addr", &c.NATSAddr})
	if err != nil {
		return err
	}
	s := &running{Config: c, binaries: binaries, state: &state{dir: c.Dir}}
	defer s.state.forget()
	defer s.stop()
	if err := s.start(ctx, patience); err != nil {
		if ctx.Err() != nil {
			return nil // stopped by whoever started it
		}
		return err
	}
	return s.run(ctx, ready)
}

// check refuses what would open a door to everybody.
func (c Config) check() error {
	if !loopback(c.NATSAddr) {
		return fault.Invalid.Errorf("--nats-addr %s: others could reach it, and this broker asks nobody who they are; "+
			"take 127.0.0.1, or run a broker with accounts and the services beside it", c.NATSAddr)
	}
	if !loopback(c.QueryAddr) {
		c.Say(fmt.Sprintf("note: others can reach --query-addr %s, so reports are answered only to who has a key", c.QueryAddr))
	}
	if !loopback(c.IntakeAddr) {
		c.Say(fmt.Sprintf("note: others can reach --intake-addr %s: they can read its probes and metrics", c.IntakeAddr))
	}
	return nil
}

func findBinaries() (map[string]string, error) {
	binaries := map[string]string{}
	for _, name := range []string{"ingest", "query"} {
		path, err := Binary(name)
		if err != nil {
			return nil, err
		}
		binaries[name] = path
	}
	return binaries, nil
}

// takeFolder makes the data folder and locks it.
func (c *Config) takeFolder(ctx context.Context) (release func(), err error) {
	if c.Dir, err = filepath.Abs(c.Dir); err != nil {
		return nil, fault.Internal.Errorf("the data folder: %w", err)
	}
	// Others may pass, not look: started by root, Postgres runs as somebody else.
	if err := os.MkdirAll(filepath.Join(c.Dir, "logs"), 0o711); err != nil {
		return nil, fault.Internal.Errorf("the data folder: %w", err)
	}
	for range 10 {
		// `coworking env` may be holding it, just to see whether somebody does.
		if release, err = lock(c.Dir); !errors.Is(err, errLocked) || !wait(ctx, 50*time.Millisecond) {
			break
		}
	}
	if errors.Is(err, errLocked) {
		return nil, fault.Invalid.Errorf("a system runs on %s already; stop it, or give another folder by --data", c.Dir)
	}
	return release, err
}

// running is a system on its way up, up, or on its way down.
type running struct {
	Config

	binaries map[string]string
	state    *state
	logs     []*os.File
	broker   *devbroker.Broker
	postgres *postgres
}

// start brings up what the services need, and has them prepare it.
func (s *running) start(ctx context.Context, patience time.Duration) error {
	var err error
	s.broker, err = devbroker.Start(devbroker.Config{
		Dir: filepath.Join(s.Dir, "broker"), Addr: s.NATSAddr, MonitorAddr: "127.0.0.1:0", SyncAlways: true,
	})
	if err != nil {
		return err
	}
	if s.DatabaseURL == "" {
		s.Say("starting Postgres")
		log, err := s.log("postgres")
		if err != nil {
			return err
		}
		if s.postgres, err = startPostgres(ctx, s.Dir, patience, log, os.Stderr, s.Say); err != nil {
			return err
		}
		s.DatabaseURL = s.postgres.url
	} else {
		s.Say("using the database " + s.DatabaseURL.String())
	}
	err = s.state.change(func(r *Running) {
		*r = Running{
			PID: os.Getpid(), DatabaseURL: string(s.DatabaseURL), NATSURL: s.broker.URL(),
			QueryAddr: s.QueryAddr, IntakeAddr: s.IntakeAddr, Children: map[string]int{},
		}
	})
	if err != nil {
		return err
	}
	s.Say("preparing the stream and the database")
	environment := append(s.environment(), fmt.Sprintf("MAX_BYTES=%d", s.room()))
	if err := task(ctx, s.binaries["ingest"], environment, "setup"); err != nil {
		return err
	}
	return task(ctx, s.binaries["ingest"], environment, "migrate", "up")
}

// environment is what every part is told. Not by arguments: those anybody on the
// machine can read, and an address may hold a password.
func (s *running) environment() []string {
	return []string{
		"DATABASE_URL=" + string(s.DatabaseURL),
		"NATS_URL=" + s.broker.URL(),
		"NATS_MONITOR_URL=" + s.broker.MonitorURL(),
	}
}

// room is how many bytes the stream may take: as many as anywhere, or half of what
// a small disk has left.
func (s *running) room() int64 {
	const least = 64 << 20
	free, err := Free(s.Dir)
	if err != nil {
		return stream.DefaultMaxBytes // the broker knows better, and says so
	}
	return max(least, min(stream.DefaultMaxBytes, (free+used(filepath.Join(s.Dir, "broker")))/2/least*least))
}

// run keeps everything up until the context ends or ready fails.
func (s *running) run(ctx context.Context, ready func(context.Context, Running) error) error {
	ingest, err := s.child("ingest", "--intake-addr", s.IntakeAddr)
	if err != nil {
		return err
	}
	query, err := s.child("query", "--query-addr", s.QueryAddr)
	if err != nil {
		return err
	}
	// Two lifetimes: what ready does ends before the parts that it uses do.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var parts errgroup.Group
	for _, c := range []*child{ingest, query} {
		parts.Go(func() error {
			c.run(running)
			return nil
		})
	}
	if s.postgres != nil {
		parts.Go(func() error {
			s.postgres.keep(running)
			return nil
		})
	}
	err = s.serve(ctx, ready)
	s.Say("stopping")
	stop()
	_ = parts.Wait() // they have nothing to say
	return err
}

// serve waits until the services are ready, hands over to ready, and then waits for
// the end.
func (s *running) serve(ctx context.Context, ready func(context.Context, Running) error) error {
	if !s.awaitReady(ctx) {
		return nil
	}
	s.state.mu.Lock()
	now := s.state.now
	s.state.mu.Unlock()
	if err := ready(ctx, now); err != nil {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return nil
		}
		return err
	}
	<-ctx.Done()
	return nil
}

func (s *running) child(name string, args ...string) (*child, error) {
	log, err := s.log(name)
	if err != nil {
		return nil, err
	}
	return &child{
		name: name, path: s.binaries[name], args: append([]string{"run"}, args...), environment: s.environment(),
		log: log, say: s.Say,
		started: func(pid int) {
			if err := s.state.change(func(r *Running) { r.Children[name] = pid }); err != nil {
				s.Say(err.Error())
			}
		},
	}, nil
}

// log opens a part's log. That of the last time is kept beside it.
func (s *running) log(name string) (*os.File, error) {
	path := filepath.Join(s.Dir, "logs", name+".log")
	if err := os.Rename(path, path+".old"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fault.Internal.Errorf("the log of %s: %w", name, err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fault.Internal.Errorf("the log of %s: %w", name, err)
	}
	s.logs = append(s.logs, file)
	return file, nil
}

// stop ends what the services needed, once these are gone.
func (s *running) stop() {
	if s.postgres != nil {
		s.postgres.stop()
	}
	if s.broker != nil {
		s.broker.Close()
	}
	for _, log := range s.logs {
		_ = log.Close() // children wrote it; we have nothing in hand
	}
}

// Free is how many bytes the disk that holds a folder has left for us.
func Free(dir string) (int64, error) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return 0, fault.Internal.Errorf("asking how full the disk is: %w", err)
	}
	return int64(disk.Bavail) * int64(disk.Bsize), nil //nolint:unconvert // their types differ between systems
}

// used is how many bytes a folder takes.
func used(dir string) int64 {
	var bytes int64
	_ = filepath.WalkDir(dir, func(_ string, entry os.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // a file that goes away meanwhile takes nothing
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}
