package system

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"coworking/pkg/fault"
)

// How a child that dies is started anew, and how one is stopped.
const (
	firstPause   = 200 * time.Millisecond
	longestPause = 5 * time.Second
	steady       = 30 * time.Second // one that ran for so long begins again with the first pause
	stopTimeout  = 25 * time.Second // the guard's twenty seconds, and some more
)

// guard runs a program until standard input ends, which it does when the process
// that started it stops it, ends, or is killed: so nothing outlives us, on any Unix.
// The program then has twenty seconds to finish what it has in hand. Its process id
// goes to file descriptor 4.
const guard = `
exec 3<&0
"$@" </dev/null 3<&- 4>&- &
program=$!
echo $program >&4
exec 4>&-
(
	cat <&3 >/dev/null
	kill -TERM $program
	tries=0
	while kill -0 $program && [ $tries -lt 200 ]; do sleep 0.1; tries=$((tries + 1)); done
	kill -KILL $program
) >/dev/null 2>&1 &
exec 3<&-
wait $program
`

// child is one of the services: started, and started anew whenever it dies.
type child struct {
	name        string
	path        string
	args        []string
	environment []string     // beside our own
	log         *os.File     // what it says
	say         func(string) // to people
	started     func(int)    // is told the process id; 0 when it is gone
}

// run keeps the child running until the context ends, and returns when it is gone.
func (c *child) run(ctx context.Context) {
	pause := firstPause
	for {
		began := time.Now()
		err := c.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > steady {
			pause = firstPause
		}
		c.say(fmt.Sprintf("%s ended (%v): starting it again in %v; %s says why", c.name, err, pause, c.log.Name()))
		if !wait(ctx, pause) {
			return
		}
		pause = min(2*pause, longestPause)
	}
}

// once runs the child once. It returns when the child and all that it started are
// gone.
func (c *child) once(ctx context.Context) error {
	alive, holder, err := os.Pipe()
	if err != nil {
		return fault.Internal.Errorf("starting %s: %w", c.name, err)
	}
	defer alive.Close()
	defer holder.Close()
	told, teller, err := os.Pipe()
	if err != nil {
		return fault.Internal.Errorf("starting %s: %w", c.name, err)
	}
	defer told.Close()

	// Not CommandContext: the guard stops the program, in its own time.
	cmd := exec.Command("/bin/sh", append([]string{"-c", guard, "guard", c.path}, c.args...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = alive, c.log, c.log
	cmd.ExtraFiles = []*os.File{nil, teller}
	cmd.Env = append(os.Environ(), c.environment...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us: we stop the children in order
	err = cmd.Start()
	_ = teller.Close() // the child has its own
	if err != nil {
		return fault.Internal.Errorf("starting %s: %w", c.name, err)
	}
	if line, err := bufio.NewReader(told).ReadString('\n'); err == nil {
		if pid, err := strconv.Atoi(strings.TrimSpace(line)); err == nil {
			c.started(pid)
			defer c.started(0)
		}
	}

	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	select {
	case err = <-exited:
	case <-ctx.Done():
		_ = holder.Close() // the guard sees its end
		select {
		case err = <-exited:
		case <-time.After(stopTimeout):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			err = <-exited
		}
	}
	// Whatever is left of the group: the guard's watch, or a program whose guard
	// was killed. The group's number is ours as long as the watch is in it.
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	if err == nil {
		err = errors.New("exit status 0")
	}
	return err
}

// task runs one of the services' verbs to its end; its output is in the error if
// it fails.
func task(ctx context.Context, path string, environment []string, args ...string) error {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), environment...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return fault.Internal.Errorf("%s %s: %w\n%s", filepath.Base(path), strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// wait is false if the context ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
