package tests

import (
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"

	"coworking/pkg/stream"

	"go.uber.org/zap"
)

// TestTheOldReportsInAnyOrderAndThroughAKill imports a sample of the old system,
// and publishes the same events to a second one: shuffled, each twice, and with
// ingest killed in the middle. Both answer with the same bytes.
func TestTheOldReportsInAnyOrderAndThroughAKill(t *testing.T) {
	t.Parallel()
	sample := "../cmd/coworking/internal/legacy/testdata/"
	imported := up(t, settled(t))
	if out, err := imported.tool("", "import", "legacy", "--sql", sample+"1_schema.sql", "--sql", sample+"2_users.sql", "--sql", sample+"3_tokens.sql"); err != nil {
		t.Fatalf("%s%v", out, err)
	}
	var usage, visits string
	eventually(t, "all is imported", func() bool {
		usage, visits = get(imported.query+"/api/reports/daily_usage"), get(imported.query+"/api/reports/user_visits")
		return strings.Contains(usage, `"2024-03-31":1`) && strings.Contains(visits, `"3":{"joined_at":"2024-03-24`)
	})

	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	events := stored(t, imported.running().NATSURL)
	events = append(events, events...)
	random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	imported.signal(syscall.SIGINT)

	shuffled := up(t, settled(t), "WRITE_TIMEOUT=1s", "ACK_WAIT=4s") // so that what the killed one held comes again soon
	ingest := shuffled.processes()["ingest"]
	for _, half := range [][]string{events[:len(events)/2], events[len(events)/2:]} {
		if out, err := shuffled.tool(strings.Join(half, "\n")+"\n", "publish", "-"); err != nil {
			t.Fatalf("%s%v", out, err)
		}
		_ = syscall.Kill(ingest, syscall.SIGKILL) // the second time it is gone
	}
	eventually(t, "both answer the same", func() bool {
		return get(shuffled.query+"/api/reports/daily_usage") == usage && get(shuffled.query+"/api/reports/user_visits") == visits
	})
}

// stored is every event that a stream holds.
func stored(t *testing.T, url string) []string {
	t.Helper()
	conn, js, err := stream.Connect(url, t.Name(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stream.Close(conn); err != nil {
			t.Error(err)
		}
	}()
	bound, err := stream.Bind(t.Context(), js, stream.Config{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, last, err := bound.Settled(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var events []string
	err = bound.Each(t.Context(), last, func(m stream.Stored) error {
		events = append(events, string(m.Body))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return events
}
