package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// program is a process that is measured, with all that it says.
type program struct {
	*exec.Cmd

	output bytes.Buffer
	exited chan error
}

// usage is what a program used from its start to its end.
type usage struct {
	CPU    time.Duration
	Memory int64 // bytes: the most that was resident
}

func start(command *exec.Cmd) (*program, error) {
	p := &program{Cmd: command, exited: make(chan error, 1)}
	command.Stdout, command.Stderr = &p.output, &p.output
	if err := command.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.exited <- command.Wait()
		close(p.exited)
	}()
	return p, nil
}

// resident is how much memory the program holds now, and peak the most that it held,
// in bytes; 0 where the system does not tell it in /proc. What wait tells would be
// what this process held, if that was more: a child begins as a copy of it.
func (p *program) resident() int64 { return p.status("VmRSS:") }
func (p *program) peak() int64     { return p.status("VmHWM:") }

func (p *program) status(name string) int64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.Process.Pid) + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), name)
	var kilobytes int64
	_, _ = fmt.Sscan(rest, &kilobytes) // 0 if it is not there
	return kilobytes << 10
}

// stop asks the program to end, and waits until it has.
func (p *program) stop() (usage, error) {
	used := usage{Memory: p.peak()}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		return usage{}, err
	}
	if err := <-p.exited; err != nil {
		return usage{}, fmt.Errorf("stopping: %w\n%s", err, p.output.String())
	}
	used.CPU = p.ProcessState.UserTime() + p.ProcessState.SystemTime()
	return used, nil
}

// abandon ends the program after something else went wrong, and adds to that what
// it said.
func (p *program) abandon(err error) error {
	_ = p.Process.Kill()
	<-p.exited //nolint:errcheck // it was killed
	return fmt.Errorf("%w\n%s", err, p.output.String())
}
