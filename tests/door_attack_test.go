package tests

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	bombMiB     = 204 // a thousandth of it packed
	slowSenders = 100
	slowLarge   = 4                   // of them may be in the way of other large bodies: the door has room for twice as many
	atOnce      = 160                 // requests: ten times as many as the door works on
	mostMemory  = 256                 // MiB that the door's process may hold: the limit of its chart
	softLimit   = "GOMEMLIMIT=204MiB" // which comes with it
)

// The door is attacked in every way at once. Each attacker is turned away by the limit
// that is there for it, the memory stays within the chart's limit, and all that an
// honest kiosk sends is stored, once.
func TestTheDoorUnderAttack(t *testing.T) {
	t.Parallel()
	s := up(t, settled(t), softLimit)
	at := strings.TrimPrefix(s.door(), "http://")
	hold(t, at, slowSenders, "POST /v1/events HTTP/1.1\r\nHost: door\r\nContent-Type: "+structuredMedia+"\r\nContent-Length: 4711\r\n\r\n{")
	hold(t, at, slowLarge, "POST /v1/events HTTP/1.1\r\nHost: door\r\nContent-Type: "+batchMedia+"\r\nContent-Length: 1000000\r\n\r\n["+strings.Repeat(" ", 100<<10))

	var stored atomic.Int64
	honest, stop := context.WithCancel(t.Context())
	var kiosk errgroup.Group
	kiosk.Go(func() error { return s.sendUntil(honest, &stored) })

	var attackers sync.WaitGroup // parallel tests would wait for each other's places, and not attack at once
	for name, attack := range map[string]func(t *testing.T, at string) error{
		"bombs":           bombs,
		"slow headers":    slowHeaders,
		"too many at all": overload,
		"endless headers": endlessHeaders,
	} {
		attackers.Go(func() {
			if err := attack(t, at); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	attackers.Wait()
	stop()
	if err := kiosk.Wait(); err != nil {
		t.Fatal(err)
	}
	most := mebibytes(t, s.processes()["ingest"])
	if most > mostMemory {
		t.Errorf("the door took %d MiB, want %d at most", most, mostMemory)
	}
	t.Logf("%d MiB at most; the kiosk stored %d meanwhile", most, stored.Load())
	if stored.Load() == 0 {
		t.Error("the kiosk stored nothing")
	}
	eventually(t, "all that the kiosk stored is counted", func() bool { return s.checkInsOf("kiosk") == int(stored.Load()) })
}

// hold opens connections that begin a request, and say no more until the test ends.
func hold(t *testing.T, at string, connections int, begun string) {
	t.Helper()
	for range connections {
		conn, err := dial(t, at)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, begun); err != nil {
			t.Fatal(err)
		}
	}
}

func dial(t *testing.T, at string) (net.Conn, error) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", at, patience)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { conn.Close() })
	return conn, conn.SetDeadline(time.Now().Add(patience))
}

// sendUntil sends check-ins, one after the other, each until it is stored. It is a
// busy kiosk, and no attacker: it does not knock as often as it can.
func (s *system) sendUntil(ctx context.Context, stored *atomic.Int64) error {
	knocks := time.NewTicker(pace)
	defer knocks.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		body := fmt.Sprintf(`{"specversion":"1.0","id":"kiosk-%d","source":"kiosk","type":"coworking.v1.checkin","time":%q,"subject":"m-%d","data":{"space":"kiosk"}}`,
			n, time.Now().UTC().Format(time.RFC3339), n%50)
		for {
			<-knocks.C
			status, code, err := post(s.door(), structuredMedia, "", strings.NewReader(body))
			if err != nil {
				return err
			}
			if status == http.StatusAccepted {
				stored.Add(1)
				break
			}
			if status != http.StatusServiceUnavailable || code != "overloaded" {
				return fmt.Errorf("the kiosk was answered %d %s", status, code)
			}
		}
	}
	return nil
}

// post is the answer to a request. One that is turned away is told when to come again.
func post(door, mediaType, encoding string, body io.Reader) (status int, code string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, door+"/v1/events", body)
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Content-Type", mediaType)
	if encoding != "" {
		request.Header.Set("Content-Encoding", encoding)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	var said struct {
		Code string `json:"code"`
	}
	if err := json.NewDecoder(response.Body).Decode(&said); err != nil {
		return 0, "", err
	}
	if response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") == "" {
		return 0, "", errors.New("503 without Retry-After")
	}
	return response.StatusCode, said.Code, nil
}

// throw is the answer to a large body. A door that turns it away answers before it has
// all of it, and closes: who is still sending then may find the connection broken before
// the answer is read, and throws it once more.
func throw(at, encoding, body string) (status int, code string, err error) {
	for range 10 {
		status, code, err = post("http://"+at, batchMedia, encoding, strings.NewReader(body))
		if !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
			break
		}
	}
	return status, code, err
}

// bombs are small, and would be large.
func bombs(_ *testing.T, at string) error {
	bomb := strings.Repeat(packed(strings.Repeat(" ", 1<<20)), bombMiB) // gzip may be many in a row
	var group errgroup.Group
	group.SetLimit(8)
	for range 40 {
		group.Go(func() error {
			for {
				status, code, err := throw(at, "gzip", bomb)
				if err != nil || status == http.StatusRequestEntityTooLarge && code == "body_too_large" {
					return err
				}
				if status != http.StatusServiceUnavailable {
					return fmt.Errorf("a bomb was answered %d %s", status, code)
				}
			}
		})
	}
	return group.Wait()
}

// slowHeaders are sent letter by letter, and never end.
func slowHeaders(t *testing.T, at string) error {
	t.Helper()
	var group errgroup.Group
	for range slowSenders {
		conn, err := dial(t, at)
		if err != nil {
			return err
		}
		group.Go(func() error {
			letters := time.NewTicker(100 * time.Millisecond)
			defer letters.Stop()
			_, err := io.WriteString(conn, "POST /v1/events HTTP/1.1\r\nHost: door\r\nX-Name: ")
			for err == nil {
				<-letters.C
				_, err = io.WriteString(conn, "x")
			}
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return errors.New("a sender that never ends its headers is not sent away")
			}
			return nil
		})
	}
	return group.Wait()
}

// overload is ten times as many requests as the door works on, each as large as may be.
func overload(_ *testing.T, at string) error {
	body := batchOf(mostEvents, mostBytes)
	var group errgroup.Group
	for range atOnce {
		group.Go(func() error {
			status, code, err := throw(at, "", body)
			switch {
			case err != nil:
				return err
			case status != http.StatusAccepted && (status != http.StatusServiceUnavailable || code != "overloaded"):
				return fmt.Errorf("one of many was answered %d %s", status, code)
			}
			return nil
		})
	}
	return group.Wait()
}

// endlessHeaders are a hundred thousand.
func endlessHeaders(t *testing.T, at string) error {
	t.Helper()
	conn, err := dial(t, at)
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.WriteString(conn, "POST /v1/events HTTP/1.1\r\nHost: door\r\n") // the server may have had enough
		_, _ = io.WriteString(conn, strings.Repeat("X-Name: 1\r\n", 100_000))
	}()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		return fmt.Errorf("a hundred thousand headers were answered %s", response.Status)
	}
	return nil
}

// mebibytes is the most memory that a process held; where the system keeps no such
// account, what it holds now.
func mebibytes(t *testing.T, pid int) int {
	t.Helper()
	var (
		text []byte
		err  error
	)
	if runtime.GOOS == "linux" {
		text, err = os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	} else {
		text, err = exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(pid)).Output()
	}
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "VmHWM:")
	if !found {
		after = string(text)
	}
	var kibibytes int
	if _, err := fmt.Sscan(after, &kibibytes); err != nil {
		t.Fatalf("memory: %v in %q", err, text)
	}
	return kibibytes >> 10
}
