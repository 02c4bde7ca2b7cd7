package stream_test

import (
	"testing"

	"coworking/pkg/stream"
	"coworking/pkg/streamtest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSettingUpTwiceChangesNothing(t *testing.T) {
	s := streamtest.Empty(t)
	want := []string{
		"stream CHECKINS made: partitions 1, replicas 1, max_bytes 268435456",
		"durable ingest-v1-0 made: ack_wait 1m0s, max_ack_pending 20000",
	}
	if diff := cmp.Diff(want, s.Setup(streamtest.Config)); diff != "" {
		t.Errorf("first (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string(nil), s.Setup(streamtest.Config)); diff != "" {
		t.Errorf("again (-want +got):\n%s", diff)
	}
	if _, err := stream.Bind(t.Context(), s.JS, streamtest.Config, 0); err != nil {
		t.Errorf("binding: %v", err)
	}
}
