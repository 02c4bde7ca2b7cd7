package devbroker_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"coworking/pkg/devbroker"
	"coworking/pkg/fault"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWhatIsStoredIsFoundAgain(t *testing.T) {
	dir := t.TempDir()
	broker := start(t, devbroker.Config{Dir: dir, SyncAlways: true})
	addr := broker.Addr()
	conn, js := connect(t, broker)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "s", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	broker.Close()

	_, js = connect(t, start(t, devbroker.Config{Dir: dir, Addr: addr}))
	stream, err := js.Stream(t.Context(), "S")
	if err != nil {
		t.Fatal(err)
	}
	message, err := stream.GetMsg(t.Context(), 1)
	if err != nil || string(message.Data) != "kept" {
		t.Errorf("%v, %v", message, err)
	}
}

func TestItsMonitoringPagesAnswer(t *testing.T) {
	broker := start(t, devbroker.Config{Dir: t.TempDir(), MonitorAddr: "127.0.0.1:0"})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, broker.MonitorURL()+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", answer, err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Error(err)
	}
	if got := start(t, devbroker.Config{Dir: t.TempDir()}).MonitorURL(); got != "" {
		t.Errorf("nobody asked for pages at %s", got)
	}
}

func TestItSaysAtOnceWhyItCannotStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		config devbroker.Config
		want   fault.Kind
	}{
		"the port is taken":              {devbroker.Config{Dir: t.TempDir(), Addr: taken.Addr().String()}, fault.Internal},
		"its folder is a file":           {devbroker.Config{Dir: file}, fault.Internal},
		"the address has no port":        {devbroker.Config{Dir: t.TempDir(), Addr: "127.0.0.1"}, fault.Invalid},
		"the port is a word":             {devbroker.Config{Dir: t.TempDir(), Addr: "127.0.0.1:http"}, fault.Invalid},
		"the port is too large":          {devbroker.Config{Dir: t.TempDir(), Addr: "127.0.0.1:70000"}, fault.Invalid},
		"the monitoring port is too low": {devbroker.Config{Dir: t.TempDir(), MonitorAddr: "127.0.0.1:-2"}, fault.Invalid},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			if _, err := devbroker.Start(c.config); fault.Of(err) != c.want {
				t.Errorf("%v: %v", fault.Of(err), err)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %v to say so", took)
			}
		})
	}
}

func TestOnlyWhatIsWrongIsLogged(t *testing.T) {
	core, logged := observer.New(zap.DebugLevel)
	start(t, devbroker.Config{Dir: t.TempDir(), Log: zap.New(core)}).Close()
	for _, entry := range logged.All() {
		if entry.Level < zap.WarnLevel {
			t.Errorf("%v: %s", entry.Level, entry.Message)
		}
	}
}

func start(t *testing.T, c devbroker.Config) *devbroker.Broker {
	t.Helper()
	broker, err := devbroker.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	return broker
}

func connect(t *testing.T, broker *devbroker.Broker) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	conn, err := nats.Connect(broker.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return conn, js
}
