package checkins_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"coworking/pkg/checkins"
	"coworking/pkg/event"
	"coworking/pkg/stream"

	"go.uber.org/zap"
)

// A door that opens, and the event that says so.
func Example() {
	address, folder, stop := aDoorAndAFolder()
	defer stop()

	door, err := checkins.HTTP(address, "cw_1", nil)
	if err != nil {
		panic(err)
	}
	client, err := checkins.Open(folder, door, checkins.OnRefused(func(r checkins.Refusal) {
		fmt.Fprintf(os.Stderr, "refused: %s %s: %s\n", r.Event.ID, r.Code, r.Detail)
	}))
	if err != nil {
		panic(err)
	}
	defer client.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = client.Publish(ctx, &event.Event{
		Source: "door-1", Kind: event.CheckIn, Member: "4711", Space: "berlin-mitte",
		Data: event.Data{Method: "door"},
	})
	if err != nil {
		panic(err) // nobody has the event but you
	}
	if err := client.Flush(ctx); err != nil {
		fmt.Fprintln(os.Stdout, "kept for the next time:", err)
	}
	fmt.Fprintln(os.Stdout, client.Pending(), "events wait")
	// Output: 0 events wait
}

// The same, straight into the stream. On a broker with accounts the credentials name
// the publisher's seed, as in NKey: "/etc/door-1/publisher-berlin-mitte.nk".
func ExampleNATS() {
	address, folder, stop := aBrokerAndAFolder()
	defer stop()

	conn, js, err := stream.Credentials{}.Connect(address, "door-1", zap.NewNop())
	if err != nil {
		panic(err)
	}
	defer stream.Close(conn)

	transport := checkins.NATS(stream.NewPublisher(js, stream.Patience{}), "berlin-mitte")
	client, err := checkins.Open(folder, transport)
	if err != nil {
		panic(err)
	}
	defer client.Close() // before the connection

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := client.Publish(ctx, &event.Event{Source: "door-1", Kind: event.Heartbeat, Space: "berlin-mitte"}); err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stdout, client.Flush(ctx))
	// Output: <nil>
}
