// Command with runs a command, and a Postgres for as long as it lasts, whose address
// the command finds in PGTEST_URL:
//
//	go run ./pkg/pgtest/with go test work
//
// All tests then share one server, which is made once and not once a package.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"coworking/pkg/devpg"
)

// port is the same each time if it can be: go test takes the address into account
// when it asks whether it knows a result already.
const port = 54329

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without a process: it gives the command's exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprintln(stderr, "usage: with command [argument]…")
		return 2
	}
	server, err := devpg.Start(ctx, devpg.Config{Fast: true, Port: port, Progress: stderr})
	if err != nil { // somebody has that port
		server, err = devpg.Start(ctx, devpg.Config{Fast: true, Progress: stderr})
	}
	if err != nil {
		fmt.Fprintln(stderr, "with:", err)
		return 1
	}
	defer server.Stop()
	command := exec.CommandContext(ctx, args[0], args[1:]...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) } // it has children of its own to stop
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, stdout, stderr
	command.Env = append(os.Environ(), "PGTEST_URL="+server.URL("postgres"))
	err = command.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		fmt.Fprintln(stderr, "with:", err)
		return 1
	}
	if code := command.ProcessState.ExitCode(); code >= 0 {
		return code
	}
	return 1 // a signal ended it
}
