package main

import (
	"bytes"
	"testing"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/pgtest"
	"coworking/pkg/streamtest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
)

func TestMain(m *testing.M) { pgtest.VerifyTestMain(m) }

func TestSetupSaysWhatItChanged(t *testing.T) {
	s := streamtest.Empty(t)
	steps := []struct {
		partitions int
		want       string
	}{
		{1, "stream CHECKINS made: partitions 1, replicas 1, max_bytes 67108864\ndurable ingest-v1-0 made: ack_wait 1m0s, max_ack_pending 20000\n"},
		{1, "nothing to do: the stream and its durables are as they should be\n"},
		{2, "stream CHECKINS: subject_transform.dest was checkins.v1.{{partition(1,1)}}.{{wildcard(1)}}.>, is checkins.v1.{{partition(2,1)}}.{{wildcard(1)}}.>\n" +
			"durable ingest-v1-1 made: ack_wait 1m0s, max_ack_pending 20000\n"},
	}
	for _, step := range steps {
		if diff := cmp.Diff(step.want, setup(t, s.URL, step.partitions)); diff != "" {
			t.Errorf("%d partitions (-want +got):\n%s", step.partitions, diff)
		}
	}
}

// In a cluster, setup and broker start at once.
func TestSetupWaitsForItsBroker(t *testing.T) {
	s := streamtest.Empty(t)
	s.Stop()
	done := make(chan string)
	go func() { done <- setup(t, s.URL, 1) }()
	s.Restart()
	if out := <-done; out == "" {
		t.Error("nothing was said")
	}
}

func TestSetupGivesUpInTime(t *testing.T) {
	c := setupCmd{NATSURL: "nats://127.0.0.1:1", Partitions: 1, Timeout: 100 * time.Millisecond}
	if err := c.Run(t.Context(), zap.NewNop(), &bytes.Buffer{}); fault.Of(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
}

func TestSetupDoesNotWaitForWhatCannotBe(t *testing.T) {
	s := streamtest.Empty(t)
	c := setupCmd{NATSURL: s.URL, Partitions: -1, Timeout: time.Hour}
	if err := c.Run(t.Context(), zap.NewNop(), &bytes.Buffer{}); fault.Of(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
}

func setup(t *testing.T, url string, partitions int) string {
	t.Helper()
	var out bytes.Buffer
	c := setupCmd{
		NATSURL: url, Partitions: partitions, Replicas: 1, MaxBytes: 64 << 20,
		AckWait: time.Minute, MaxAckPending: 20_000, Timeout: time.Minute,
	}
	if err := c.Run(t.Context(), zap.NewNop(), &out); err != nil {
		t.Errorf("%d partitions: %v", partitions, err)
	}
	return out.String()
}
