package system

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// program is a child that runs a shell script, and the process ids that it had.
func program(t *testing.T, script string) (*child, chan int) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	pids := make(chan int, 100)
	return &child{
		name: "program", path: "/bin/sh", args: []string{"-c", script}, environment: []string{"GREETING=hello"},
		log: log, say: func(string) {}, started: func(pid int) { pids <- pid },
	}, pids
}

// runs runs the child until stop is called.
func runs(t *testing.T, c *child) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.run(ctx)
	}()
	stop = func() {
		cancel()
		<-ended
	}
	t.Cleanup(stop)
	return stop
}

// said waits until the child has written something.
func said(t *testing.T, c *child, words string) {
	t.Helper()
	await(t, words, func() bool {
		text, err := os.ReadFile(c.log.Name())
		return err == nil && strings.Contains(string(text), words)
	})
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for !is() {
		select {
		case <-poll.C:
		case <-deadline.C:
			t.Fatalf("never: %s", what)
		}
	}
}

func gone(pid int) bool { return syscall.Kill(pid, 0) != nil }

func TestAChildIsStoppedInItsOwnTime(t *testing.T) {
	c, pids := program(t, `trap 'echo bye; exit 0' TERM; echo $GREETING; while :; do sleep 0.05; done`)
	stop := runs(t, c)
	said(t, c, "hello")
	pid := <-pids
	stop()
	said(t, c, "bye")
	if !gone(pid) {
		t.Error("it is still there")
	}
	if pid := <-pids; pid != 0 {
		t.Errorf("it is said to run as %d", pid)
	}
}

func TestAChildThatDiesIsStartedAgain(t *testing.T) {
	c, pids := program(t, `echo up; sleep 1000`)
	runs(t, c)
	first := <-pids
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if pid := <-pids; pid != 0 {
		t.Errorf("it is said to run as %d", pid)
	}
	if second := <-pids; second == 0 || second == first {
		t.Errorf("it was %d and is %d", first, second)
	}
}

// A child that ends at once is not started a thousand times.
func TestAChildThatCannotRunIsTriedMoreAndMoreSeldom(t *testing.T) {
	c, pids := program(t, `exit 3`)
	var told []string
	c.say = func(line string) { told = append(told, line) }
	stop := runs(t, c)
	for range 6 { // three starts, three ends
		<-pids
	}
	stop()
	for i, pause := range []string{"200ms", "400ms"} {
		if !strings.Contains(told[i], "(exit status 3)") || !strings.Contains(told[i], pause) {
			t.Errorf("%q", told[i])
		}
	}
}

// Neither the guard's death nor the program's leaves the other behind.
func TestAKilledGuardTakesItsProgramAlong(t *testing.T) {
	c, pids := program(t, `sleep 1000`)
	runs(t, c)
	pid := <-pids
	group, err := syscall.Getpgid(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(group, syscall.SIGKILL); err != nil { // the guard leads its group
		t.Fatal(err)
	}
	await(t, "the program ends", func() bool {
		next, err := syscall.Getpgid(pid)
		return err != nil || next != group || zombie(pid)
	})
}

// zombie says whether a process has ended and only nobody has asked how.
func zombie(pid int) bool {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && strings.Contains(string(status), ") Z ")
}

func TestATaskThatFailsSaysWhatItSaid(t *testing.T) {
	err := task(t.Context(), "/bin/sh", []string{"NAME=world"}, "-c", `echo "no $NAME" >&2; exit 1`)
	if err == nil || !strings.HasSuffix(err.Error(), "exit status 1\nno world") {
		t.Errorf("%v", err)
	}
	if err := task(t.Context(), "/bin/sh", nil, "-c", "exit 0"); err != nil {
		t.Error(err)
	}
}
