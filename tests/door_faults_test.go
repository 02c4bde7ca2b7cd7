package tests

import (
	"context"
	"fmt"
	"testing"

	"coworking/pkg/checkins"
	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/stream"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// trouble is a way for the stream to be unwell, by the code that the door answers
// then, and how it gets well again.
type trouble struct {
	code       string
	harm, heal func(t *testing.T, d *troubledDoor)
}

var troubles = []trouble{
	{
		code: outages[0],
		harm: func(_ *testing.T, d *troubledDoor) { d.wire.cut() },
		heal: func(t *testing.T, d *troubledDoor) {
			t.Helper()
			d.wire.mend(t)
		},
	},
	{
		code: outages[1],
		harm: func(t *testing.T, d *troubledDoor) {
			t.Helper()
			d.limit(t, func(state jetstream.StreamState) int64 { return int64(state.Bytes) + 100 })
		},
		heal: func(t *testing.T, d *troubledDoor) {
			t.Helper()
			d.limit(t, func(jetstream.StreamState) int64 { return d.bytes })
		},
	},
	{
		code: outages[2],
		harm: func(t *testing.T, d *troubledDoor) {
			t.Helper()
			d.empty(t) // what it holds would be lost with it
			if err := d.js.DeleteStream(t.Context(), stream.Name); err != nil {
				t.Fatal(err)
			}
		},
		heal: func(t *testing.T, d *troubledDoor) {
			t.Helper()
			if out, err := d.ingest("setup"); err != nil {
				t.Fatalf("%s%v", out, err)
			}
		},
	},
}

// troubledDoor is a system with a second door, whose way to the broker can be cut.
type troubledDoor struct {
	*system

	wire  *wire
	js    jetstream.JetStream
	bytes int64 // that the stream may take when it is well
}

// A client with an outbox goes on publishing over HTTP while the broker is away, the
// stream full or gone. Once it is well again everything is in, and counts once.
func TestAnOutboxOutlastsWhatBefallsTheStream(t *testing.T) {
	t.Parallel()
	s := up(t, settled(t))
	conn, err := nats.Connect(s.running().NATSURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	there, err := js.Stream(t.Context(), stream.Name)
	if err != nil {
		t.Fatal(err)
	}
	d := &troubledDoor{system: s, wire: newWire(t, s.running().NATSURL), js: js, bytes: there.CachedInfo().Config.MaxBytes}
	client := openOutbox(t, t.TempDir(), s.anotherDoor(t, d.wire.url()), "")
	published := 0
	for _, trouble := range troubles {
		t.Run(trouble.code, func(t *testing.T) {
			publishSome(t, client, &published)
			flushAll(t, client)
			eventually(t, "all is counted", func() bool { return s.sohoCheckIns() == published })

			publishSome(t, client, &published) // these meet the trouble under way
			trouble.harm(t, d)
			publishSome(t, client, &published)
			eventually(t, "it says why it waits", func() bool { return fault.Code(client.Err()) == trouble.code })
			if client.Pending() == 0 {
				t.Error("nothing waits, and something cannot be stored")
			}
			trouble.heal(t, d)
			flushAll(t, client)
			eventually(t, fmt.Sprintf("%d are counted", published), func() bool { return s.sohoCheckIns() == published })
		})
	}
	if refused, err := client.Refused(); err != nil || len(refused) > 0 {
		t.Errorf("refused: %v, %v", refused, err)
	}
	if out, err := s.ingest("verify", "--quiet"); err != nil {
		t.Errorf("%s%v", out, err)
	}
}

// limit sets how many bytes the stream may take.
func (d *troubledDoor) limit(t *testing.T, bytes func(jetstream.StreamState) int64) {
	t.Helper()
	there, err := d.js.Stream(t.Context(), stream.Name)
	if err != nil {
		t.Fatal(err)
	}
	config := there.CachedInfo().Config
	config.MaxBytes = bytes(there.CachedInfo().State)
	if _, err := d.js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
}

// empty lets the stream take nothing more, and waits until all that it has taken is
// written.
func (d *troubledDoor) empty(t *testing.T) {
	t.Helper()
	d.limit(t, func(state jetstream.StreamState) int64 { return int64(state.Bytes) + 100 })
	there, err := d.js.Stream(t.Context(), stream.Name)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "all that the stream has is written", func() bool {
		waiting := uint64(0)
		durables := there.ListConsumers(t.Context())
		for durable := range durables.Info() {
			waiting += durable.NumPending + uint64(durable.NumAckPending)
		}
		return durables.Err() == nil && waiting == 0
	})
}

func publishSome(t *testing.T, client *checkins.Client, published *int) {
	t.Helper()
	for range 100 {
		if err := client.Publish(t.Context(), &event.Event{Source: "turnstile", Kind: event.CheckIn, Space: "soho"}); err != nil {
			t.Fatal(err)
		}
		*published++
	}
}

func flushAll(t *testing.T, client *checkins.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := client.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}
