// Package boot is what every binary begins with: its commands and flags, its
// logger, its signals, its health and metrics, and its HTTP servers. It is the one
// place that reads the environment and that ends the process.
package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"coworking/pkg/fault"

	"github.com/alecthomas/kong"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Version is what was built; the linker sets it.
var Version = "development"

// What a process tells its parent by ending.
const (
	exitWell   = 0
	exitFailed = 1 // the verb's error is in the log, or on stderr
	exitUsage  = 2 // the command line or the environment makes no sense; said on stderr
)

// Main is the whole of a main function. commands is a pointer to a struct with one
// field a verb, tagged `cmd:""`; each verb is a struct with its flags, whose Run
// may take a context.Context, a *zap.Logger and an io.Writer (standard output).
//
// The context ends with SIGINT or SIGTERM; the second signal kills. Everything
// that is wrong with flags and environment is said in one go.
func Main(name, about string, commands any) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	code := run(ctx, name, about, commands, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// globals are the flags that every verb has.
type globals struct {
	LogLevel zapcore.Level    `default:"info" env:"LOG_LEVEL" help:"The least that is logged: debug, info, warn or error."`
	Version  kong.VersionFlag `help:"Print the version, and do nothing."`
}

// run is Main without a process.
func run(ctx context.Context, name, about string, commands any, args []string, stdout, stderr io.Writer) int {
	var flags globals
	chosen, code := parse(name, about, commands, &flags, args, stdout, stderr)
	if chosen == nil {
		return code
	}
	// `run` is a service, whose log is its output. Every other verb is a person's
	// tool: its output is its own, and what it has to say besides goes to stderr.
	service := chosen.Command() == "run"
	log := newPlainLogger(max(flags.LogLevel, zapcore.WarnLevel), stderr)
	if service {
		log = newLogger(name, flags.LogLevel, stdout)
	}
	chosen.BindTo(ctx, (*context.Context)(nil))
	chosen.BindTo(stdout, (*io.Writer)(nil))
	chosen.Bind(log)
	err := chosen.Run()
	switch {
	case err == nil:
		return exitWell
	case service:
		log.Error(chosen.Command()+" ended", zap.Error(err), zap.Stringer("fault", fault.Of(err)))
	default:
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
	}
	if code, ok := errors.AsType[ExitCode](err); ok {
		return code.ExitCode()
	}
	return exitFailed
}

// ExitCode is an error that says with which code the process is to end, where 1 is
// not all there is to say.
type ExitCode interface {
	error
	ExitCode() int
}
