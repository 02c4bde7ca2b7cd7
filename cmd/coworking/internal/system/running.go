package system

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"coworking/pkg/fault"
)

// Running is where the parts of a running system are. It is kept in its data
// folder while it runs, for `coworking env` and for whoever looks after it.
type Running struct {
	PID         int            `json:"pid"`          // of `coworking up`
	DatabaseURL string         `json:"database_url"` // with its password, if it has one
	NATSURL     string         `json:"nats_url"`
	QueryAddr   string         `json:"query_addr"`  // host:port
	IntakeAddr  string         `json:"intake_addr"` // host:port
	Children    map[string]int `json:"children"`    // process ids by name; 0 while it is started anew
}

// QueryURL is where reports are asked for from this machine.
func (r Running) QueryURL() string { return "http://" + dialable(r.QueryAddr) }

// IntakeURL is where events come in by HTTP.
func (r Running) IntakeURL() string { return "http://" + dialable(r.IntakeAddr) }

// Look says where the system is that runs on a data folder; fault.NotFound if none
// does.
func Look(dir string) (Running, error) {
	var r Running
	text, err := os.ReadFile(runningFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return r, notRunning(dir)
	}
	if err != nil {
		return r, fault.Internal.Errorf("the data folder: %w", err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fault.Internal.Errorf("%s: %w", runningFile(dir), err)
	}
	// One that was killed could not tidy up: the lock says whether it lives.
	release, err := lock(dir)
	if err == nil {
		release()
		return Running{}, notRunning(dir)
	}
	if !errors.Is(err, errLocked) {
		return Running{}, err
	}
	return r, nil
}

// Abandoned says whether a system ran on a data folder and none does now.
func Abandoned(dir string) bool {
	if _, err := os.Stat(filepath.Join(dir, "lock")); err != nil {
		return false
	}
	release, err := lock(dir)
	if err != nil {
		return false
	}
	release()
	return true
}

func notRunning(dir string) error {
	return fault.NotFound.Errorf("nothing runs on %s; start it with: coworking up --data %s", dir, dir)
}

// state is Running as it changes, kept in the data folder.
type state struct {
	dir string

	mu  sync.Mutex
	now Running
}

// change changes it and writes it down, in one step for who reads it.
func (s *state) change(f func(*Running)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.now)
	text, err := json.MarshalIndent(s.now, "", "  ")
	if err != nil {
		return fault.Internal.Errorf("writing down what runs: %w", err)
	}
	scratch := runningFile(s.dir) + ".new"
	if err := os.WriteFile(scratch, append(text, '\n'), 0o600); err != nil {
		return fault.Internal.Errorf("writing down what runs: %w", err)
	}
	if err := os.Rename(scratch, runningFile(s.dir)); err != nil {
		return fault.Internal.Errorf("writing down what runs: %w", err)
	}
	return nil
}

// forget takes it back once nothing runs any more.
func (s *state) forget() { _ = os.Remove(runningFile(s.dir)) } // the lock decides; the file is a courtesy

func runningFile(dir string) string { return filepath.Join(dir, "running.json") }
