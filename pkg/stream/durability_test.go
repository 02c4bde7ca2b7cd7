package stream_test

import (
	"strings"
	"testing"

	"coworking/pkg/devbroker"
	"coworking/pkg/fault"
	"coworking/pkg/stream"
	"coworking/pkg/streamtest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
)

var nop = zap.NewNop()

func TestAWeakPromiseIsSaid(t *testing.T) {
	const copies = "the stream has 1 of 3 copies: what is lost with its disk is lost"
	cases := map[string]struct {
		monitor, always bool
		want            []string
	}{
		"the broker syncs every write":              {monitor: true, always: true, want: []string{copies}},
		"the broker syncs now and then":             {monitor: true, want: []string{copies, "the broker at <monitor> does not sync every write (sync_interval is not `always`): the last seconds may be lost with its power"}},
		"nobody said where the broker can be asked": {want: []string{copies, "unknown whether the broker syncs every write: no monitoring address was given"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			broker := start(t, devbroker.Config{Dir: t.TempDir(), MonitorAddr: "127.0.0.1:0", SyncAlways: c.always})
			conn, js, err := stream.Connect(broker.URL(), t.Name(), nop)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = stream.Close(conn) }()
			if _, err := stream.Setup(t.Context(), js, streamtest.Config); err != nil {
				t.Fatal(err)
			}
			var monitors []string
			if c.monitor {
				monitors = []string{broker.MonitorURL()}
			}
			got, err := stream.CheckDurability(t.Context(), js, monitors...)
			for i := range got {
				got[i] = strings.ReplaceAll(got[i], broker.MonitorURL(), "<monitor>")
			}
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestABrokerThatCannotBeAskedIsNoPromise(t *testing.T) {
	s := streamtest.New(t)
	if _, err := stream.CheckDurability(t.Context(), s.JS, "http://127.0.0.1:1"); fault.Of(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
	if _, err := stream.CheckDurability(t.Context(), s.JS, "::"); fault.Of(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
}

func start(tb testing.TB, c devbroker.Config) *devbroker.Broker {
	tb.Helper()
	broker, err := devbroker.Start(c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(broker.Close)
	return broker
}

func startSyncing(tb testing.TB) string {
	tb.Helper()
	return start(tb, devbroker.Config{Dir: tb.TempDir(), SyncAlways: true}).URL()
}
