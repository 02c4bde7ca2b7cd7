package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"coworking/cmd/coworking/internal/progress"
	"coworking/cmd/coworking/internal/system"
	"coworking/pkg/devpg"
	"coworking/pkg/fault"
)

// enoughDisk is what a disk should have left for a stream and a database.
const enoughDisk = 2 << 30

// doctorCmd is `coworking doctor`: of this machine, unless it is to look at something else.
type doctorCmd struct {
	Machine   doctorMachineCmd   `cmd:"" default:"withargs" help:"Look at this machine: what is here, what is missing, and the line that helps. That is what doctor alone does."`
	Publisher doctorPublisherCmd `cmd:"" help:"Look at what a door system sends: a report card of its ids, its clock, its zone and its check-outs."`
}

// Help is kong's: what the verb's flags do not say.
func (doctorCmd) Help() string {
	return `Without a command it looks at this machine.

Examples:

    coworking doctor

    coworking doctor publisher berlin-mitte front-door
`
}

// doctorMachineCmd is `coworking doctor machine`.
type doctorMachineCmd struct {
	dataFolder
	addresses
}

// Help is kong's: what the verb's flags do not say.
func (doctorMachineCmd) Help() string {
	return `Says what is here (✓), what is missing (✗) with the line that helps, and what only some need (–). Ends with 1 ` +
		`if 'coworking up' could not work.

Examples:

    coworking doctor

    coworking doctor --data ./data
`
}

// finding is one thing that was looked at.
type finding struct {
	mark string
	what string
	help string
}

// The marks of a finding.
const (
	here     = "✓"
	missing  = "✗"
	optional = "–"
)

// Run looks at everything and prints a line for each.
func (c *doctorMachineCmd) Run(ctx context.Context, out io.Writer) error {
	dir, err := c.folder()
	if err != nil {
		return err
	}
	running, notRunning := system.Look(dir)
	findings := []finding{binary("ingest"), binary("query"), shell(), postgres(ctx), disk(dir)}
	if notRunning == nil {
		findings = append(findings, answering(ctx, "ingest", running.IntakeAddr), answering(ctx, "query", running.QueryAddr))
	} else {
		findings = append(findings,
			port(ctx, "--query-addr", c.QueryAddr), port(ctx, "--intake-addr", c.IntakeAddr), port(ctx, "--nats-addr", c.NATSAddr),
			finding{optional, "nothing runs on " + dir, "coworking up --data " + dir})
	}
	findings = append(findings,
		program(ctx, "go", "to build the binaries", "https://go.dev/dl/", "version"),
		program(ctx, "make", "to build and test", "xcode-select --install, or apt-get install make", "--version"),
		program(ctx, "node", "to change the dashboard", "https://nodejs.org/en/download", "--version"),
		program(ctx, "npm", "to fetch a Postgres where none is installed", "https://nodejs.org/en/download", "--version"),
	)
	bad := 0
	for _, f := range findings {
		fmt.Fprintf(out, "%s %s\n", f.mark, f.what)
		if f.help != "" {
			fmt.Fprintf(out, "    → %s\n", f.help)
		}
		if f.mark == missing {
			bad++
		}
	}
	if bad > 0 {
		return fault.NotFound.Errorf("%d of %d things are missing", bad, len(findings))
	}
	return nil
}

func binary(name string) finding {
	path, err := system.Binary(name)
	if err != nil {
		return finding{missing, name + ": not beside this binary, not on the path", "make build"}
	}
	return finding{mark: here, what: name + ": " + path}
}

// shell is what guards the children.
func shell() finding {
	if _, err := os.Stat("/bin/sh"); err != nil {
		return finding{missing, "/bin/sh: not here", "install a shell; it watches over the parts of 'coworking up'"}
	}
	return finding{mark: here, what: "shell: /bin/sh"}
}

func postgres(ctx context.Context) finding {
	found, err := devpg.Find(ctx)
	if err == nil {
		return finding{mark: here, what: fmt.Sprintf("Postgres %d, %s: %s", found.Version, found.Origin, found.BinDir)}
	}
	_, help, _ := strings.Cut(err.Error(), "get one with: ")
	for _, way := range []string{"npm", "apt-get"} {
		if _, err := exec.LookPath(way); err == nil && (way == "npm" || os.Geteuid() == 0) {
			return finding{optional, "Postgres: none yet, 'coworking up' will fetch one by " + way, help}
		}
	}
	return finding{missing, "Postgres: none, and nothing here that could fetch one", help}
}

// disk looks at the folder, or at the nearest one above it that is there.
func disk(dir string) finding {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return finding{missing, "data folder: " + err.Error(), "give another one by --data"}
	}
	for at := dir; ; at = filepath.Dir(at) {
		free, err := system.Free(at)
		if err != nil && at != filepath.Dir(at) {
			continue
		}
		what := fmt.Sprintf("disk of %s: %s MB free", dir, progress.Grouped(free>>20))
		if err != nil || free < enoughDisk {
			return finding{missing, what, fmt.Sprintf("make room for %d MB, or give another folder by --data", enoughDisk>>20)}
		}
		return finding{mark: here, what: what}
	}
}

func port(ctx context.Context, flag, addr string) finding {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return finding{missing, fmt.Sprintf("%s is taken: %v", addr, err), "stop who listens there, or give another address by " + flag}
	}
	_ = listener.Close() // nobody came
	return finding{mark: here, what: addr + " is free for " + flag}
}

func answering(ctx context.Context, name, addr string) finding {
	if wrong := system.Readiness(ctx, name, addr); len(wrong) > 0 {
		return finding{missing, strings.Join(wrong, "; "), "its log says why: DIR/logs/" + name + ".log"}
	}
	return finding{mark: here, what: name + " is ready on " + addr}
}

// program is something that only some people need.
func program(ctx context.Context, name, why, help string, version ...string) finding {
	path, err := exec.LookPath(name)
	if err != nil {
		return finding{optional, fmt.Sprintf("%s: not here; needed %s", name, why), help}
	}
	said, err := exec.CommandContext(ctx, path, version...).Output()
	if err != nil {
		return finding{optional, fmt.Sprintf("%s: does not run; needed %s", name, why), help}
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(said)), "\n")
	if name == "go" && !strings.Contains(first, "go1.") {
		first += " (" + runtime.Version() + " built this)"
	}
	return finding{mark: here, what: name + ": " + strings.TrimPrefix(first, name+" version ")}
}
