package checkins_test

import (
	"context"
	"log"
	"time"

	"coworking/pkg/checkins"
	"coworking/pkg/event"
	"coworking/pkg/stream"

	"go.uber.org/zap"
)

// A door that opens, and the event that says so.
func Example() {
	door, err := checkins.HTTP("https://events.example.org", "cw_…", nil)
	if err != nil {
		log.Fatal(err)
	}
	client, err := checkins.Open("/var/lib/door-1/outbox", door, checkins.OnRefused(func(r checkins.Refusal) {
		log.Printf("refused: %s %s: %s", r.Event.ID, r.Code, r.Detail)
	}))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = client.Publish(ctx, &event.Event{
		Source: "door-1", Kind: event.CheckIn, Member: "4711", Space: "berlin-mitte",
		Data: event.Data{Method: "door"},
	})
	if err != nil {
		log.Print(err) // nobody has the event but you
	}
	if err := client.Flush(ctx); err != nil {
		log.Print(err) // it is kept, and delivered the next time
	}
}

// The same, straight into the stream.
func ExampleNATS() {
	credentials := stream.Credentials{NKey: "/etc/door-1/publisher-berlin-mitte.nk"}
	conn, js, err := credentials.Connect("tls://nats.example.org:4222", "door-1", zap.NewExample())
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close(conn)

	transport := checkins.NATS(stream.NewPublisher(js, stream.Patience{}), "berlin-mitte")
	client, err := checkins.Open("/var/lib/door-1/outbox", transport)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close() // before the connection
}
