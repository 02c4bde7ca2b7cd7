package devpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"coworking/pkg/fault"
)

// memory is where Linux keeps files that are never written to a disk: a test's
// database is made there in a seventh of the time. It must have room for all that
// tests may write; a container often has little.
const (
	memory = "/dev/shm"
	room   = 4 << 30 // bytes
)

// place is where the folder of a server is made.
func place(c Config) string {
	var disk syscall.Statfs_t
	if c.Fast && c.Dir == "" && syscall.Statfs(memory, &disk) == nil && disk.Bavail*uint64(disk.Bsize) >= room {
		return memory
	}
	return "/tmp"
}

// claimTimeout is how long a server that was left behind may take to go: its
// guard's ten seconds, and a little.
const claimTimeout = 15 * time.Second

// claim takes a folder for one server. What it gives is handed on to the server,
// and with the last of the server's processes the claim ends, however that one
// ends. A server whose starter was killed is on its way out: claim waits for it.
func claim(ctx context.Context, dir string, progress io.Writer) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault.Internal.Errorf("the database's folder: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for said := false; ; said = true {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fault.Internal.Errorf("the database's folder: %w", errors.Join(err, file.Close()))
		}
		pid := postmaster(filepath.Join(dir, "data"))
		if !said {
			fmt.Fprintf(progress, "a Postgres still runs on %s, as process %d: waiting for it to end\n", dir, pid)
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return nil, fault.Unavailable.Errorf("another Postgres runs on %s, as process %d: %w", dir, pid, errors.Join(ctx.Err(), file.Close()))
		}
	}
}

// initialise makes the data, once. They are made beside their place and moved there
// when done, so that half-made ones are never found.
func initialise(ctx context.Context, c Config, found Found, account account, dir string) error {
	data := filepath.Join(dir, "data")
	if madeBy(data) != 0 {
		return forgetStranger(ctx, data)
	}
	scratch := filepath.Join(dir, "initdb")
	if err := os.RemoveAll(scratch); err != nil {
		return fault.Internal.Errorf("the database's folder: %w", err)
	}
	// No password: only this machine can connect, and what it holds is the
	// laptop's own.
	args := []string{
		"-D", scratch, "-U", user, "-A", "trust",
		"-E", "UTF8", "--locale=C", "--data-checksums", "--no-instructions",
	}
	if c.Fast {
		args = append(args, "--no-sync")
	}
	initdb := exec.CommandContext(ctx, filepath.Join(found.BinDir, "initdb"), args...)
	initdb.Dir = dir
	initdb.Env = environment()
	initdb.SysProcAttr = account.attributes()
	if out, err := initdb.CombinedOutput(); err != nil {
		return fault.Internal.Errorf("initdb: %w\n%s", err, lines(out, 5))
	}
	if err := os.Rename(scratch, data); err != nil {
		return fault.Internal.Errorf("the database's folder: %w", err)
	}
	return nil
}

// environment is ours, with a locale that every machine has: on a Mac, Postgres
// does not start without one.
func environment() []string { return append(os.Environ(), "LC_ALL=C") }

// madeBy is the major version of Postgres that made the data, 0 if there are none.
func madeBy(data string) int {
	text, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(string(bytes.TrimSpace(text))) // Postgres wrote it
	return n
}

// forgetStranger removes what a server that is gone left in the data if its process
// number belongs to somebody else by now, as after a restart of the machine:
// Postgres would take that one for itself and refuse to start.
func forgetStranger(ctx context.Context, data string) error {
	pid := postmaster(data)
	if pid == 0 {
		return nil
	}
	command, _ := exec.CommandContext(ctx, "ps", "-o", "comm=", "-p", strconv.Itoa(pid)).Output() // nothing, if it is nobody's
	name := strings.TrimSpace(string(command))
	if name == "" || strings.HasPrefix(filepath.Base(name), "postgres") {
		return nil // Postgres itself knows what to do
	}
	if err := os.Remove(filepath.Join(data, "postmaster.pid")); err != nil {
		return fault.Internal.Errorf("the database's folder: %w", err)
	}
	return nil
}

// postmaster is the process that the data say they are served by, 0 if none.
func postmaster(data string) int {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	n, _ := strconv.Atoi(strings.TrimSpace(first)) // Postgres wrote it
	return n
}
