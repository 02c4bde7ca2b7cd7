package checkins_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"coworking/pkg/checkins"
	"coworking/pkg/fault"
	"coworking/pkg/stream"
	"coworking/pkg/streamtest"

	"go.uber.org/zap"
)

// beADoor publishes until it is killed, and says each id when it is acknowledged; a
// hasty door says it before, which is what the crash test has to notice.
func beADoor(dir string, hasty bool) int {
	first, err := strconv.Atoi(os.Getenv("CHECKINS_FIRST"))
	if err != nil {
		return 2
	}
	var transport checkins.Transport = &far{says: func(string) error { return fault.Unavailable.With("publish_unavailable", "", "nobody is there") }}
	if address := os.Getenv("CHECKINS_NATS"); address != "" {
		_, js, err := stream.Connect(address, "door", zap.NewNop())
		if err != nil {
			return 1
		}
		transport = checkins.NATS(stream.NewPublisher(js, stream.Patience{}))
	}
	client, err := checkins.Open(dir, transport, quick)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for n := first; ; n++ {
		if hasty {
			fmt.Fprintln(os.Stdout, n)
		}
		if err := client.Publish(context.Background(), checkIn(n)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if !hasty {
			fmt.Fprintln(os.Stdout, n)
		}
	}
}

// killed runs a door and kills it in the middle of its work; it is how many events it
// had acknowledged.
func killed(t *testing.T, dir string, first, after int, environment ...string) int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), "CHECKINS_DOOR="+dir, "CHECKINS_FIRST="+fmt.Sprint(first)), environment...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reader, said := bufio.NewReader(out), 0
	for ; said < after; said++ {
		if _, err := reader.ReadString('\n'); err != nil {
			t.Fatalf("after %d events: %v", said, err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(reader) // what it said before it died
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	return said + strings.Count(string(rest), "\n")
}

func TestNothingAcknowledgedIsLostByAKill(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	dir, acknowledged, next := t.TempDir(), []string(nil), 0
	for range 8 {
		said := killed(t, dir, next, 1+random.IntN(200))
		acknowledged = append(acknowledged, numbers(next, next+said)...)
		next += said + 1000 // what was under way at the kill may be there or not
	}
	there := &far{}
	flush(t, open(t, dir, there))
	if missing, extra := compared(acknowledged, there.ids()); len(missing) > 0 || extra > 8 {
		t.Errorf("%d acknowledged; lost: %v; more than acknowledged, at most one a kill: %d", len(acknowledged), missing, extra)
	}
}

// The same, killed while it delivers: some events come twice, none comes late.
func TestNothingIsLostByAKillDuringDelivery(t *testing.T) {
	s := streamtest.New(t)
	dir, acknowledged, next := t.TempDir(), []string(nil), 0
	for range 4 {
		said := killed(t, dir, next, 300, "CHECKINS_NATS="+s.URL)
		acknowledged = append(acknowledged, numbers(next, next+said)...)
		next += said + 1000
	}
	flush(t, open(t, dir, checkins.NATS(stream.NewPublisher(s.JS, stream.Patience{}))))
	if missing, extra := compared(acknowledged, firsts(stored(t, s))); len(missing) > 0 || extra > 4 {
		t.Errorf("%d acknowledged; lost or late: %v; more than acknowledged: %d", len(acknowledged), missing, extra)
	}
}

// firsts is each id where it stands first.
func firsts(ids []string) []string {
	var all []string
	seen := map[string]bool{}
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			all = append(all, id)
		}
	}
	return all
}

// The check itself: a door that speaks too early is found out.
func TestAHastyDoorIsFoundOut(t *testing.T) {
	for try := range 200 {
		dir := t.TempDir()
		said := killed(t, dir, 0, 1+try%5, "CHECKINS_HASTY=yes")
		there := &far{}
		client := open(t, dir, there)
		flush(t, client)
		client.Close()
		if missing, _ := compared(numbers(0, said), there.ids()); len(missing) > 0 {
			return
		}
	}
	t.Error("never, in 200 kills")
}

// compared is what is missing, in order, and how much there is that nobody asked for.
// Things that come in another order are missing.
func compared(want, got []string) (missing []string, extra int) {
	for _, id := range got {
		if len(want) > 0 && want[0] == id {
			want = want[1:]
			continue
		}
		extra++
	}
	return want, extra
}

func TestOneProcessHasAnOutboxAtATime(t *testing.T) {
	dir := t.TempDir()
	client := open(t, dir, &far{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // a door that is let in stays for ever
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), "CHECKINS_DOOR="+dir, "CHECKINS_FIRST=0")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "somebody else has this outbox open") {
		t.Errorf("%v: %s", err, out)
	}
	publish(t, client, 0, 1) // the first is not disturbed
	client.Close()
	if got := killed(t, dir, 1, 1); got == 0 {
		t.Error("a folder that was let go of cannot be opened")
	}
	there := &far{}
	second := open(t, dir, there) // the kernel let go of the killed one's
	flush(t, second)
}
