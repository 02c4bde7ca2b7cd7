package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/stream"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// setupCmd is `ingest setup`. It is the only maker of the stream: `ingest run`
// binds, and refuses a configuration that has drifted.
type setupCmd struct {
	NATSURL       string        `name:"nats-url" env:"NATS_URL" help:"The broker, such as nats://127.0.0.1:4222. Required, but with --accounts."`
	Partitions    int           `default:"1" env:"PARTITIONS" help:"Shards of the stream, each with one durable and one writer. More is fine at any time; fewer only once the durables that would go have read everything. 'ingest run' must be given the same number."`
	Replicas      int           `default:"1" env:"REPLICAS" help:"Copies of every event: 1 on a laptop, 3 in a cluster. An acknowledged event outlives all but the last."`
	MaxBytes      int64         `default:"8589934592" env:"MAX_BYTES" help:"Room for the stream on each broker's disk, kept free for it. Once it is full, publishers are told so, and nothing old is thrown away for it before 14 days."`
	AckWait       time.Duration `default:"1m" env:"ACK_WAIT" help:"How long a worker may hold an event without a word before somebody else gets it; four transactions at least."`
	MaxAckPending int           `default:"20000" env:"MAX_ACK_PENDING" help:"Events handed out and not answered yet, for each durable; four batches of 'ingest run' at least."`
	Replay        bool          `help:"Hand out every event that the stream still has once more: what a database that was restored from a backup lacks, it gets, and what it has stays as it is. Workers may go on running."`
	Timeout       time.Duration `default:"1m" env:"SETUP_TIMEOUT" help:"How long to wait for a broker that is not there yet."`

	Credentials stream.Credentials `embed:""`
	accountsFlags
}

// Validate refuses flags that do not go together, before anything runs.
func (c *setupCmd) Validate() error {
	if !c.Accounts && c.NATSURL == "" {
		return fault.Invalid.Errorf("missing --nats-url (NATS_URL): the broker")
	}
	return c.check()
}

// Run prints a line for each thing that it changed, or that nothing was to do.
func (c *setupCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) (err error) {
	if c.Accounts {
		return writeAccounts(c.accountsFlags, c.Partitions, out)
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	conn, js, err := c.Credentials.Connect(c.NATSURL, "ingest setup", log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stream.Close(conn)) }()

	changes, err := c.setup(ctx, js)
	for _, change := range changes {
		fmt.Fprintln(out, change)
	}
	if err == nil && len(changes) == 0 {
		fmt.Fprintln(out, "nothing to do: the stream and its durables are as they should be")
	}
	return err
}

// setup waits for a broker that is not there yet: in a cluster both start at once.
func (c *setupCmd) setup(ctx context.Context, js jetstream.JetStream) ([]string, error) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	var all []string
	setup := stream.Setup
	if c.Replay {
		setup = stream.Replay
	}
	for {
		changes, err := setup(ctx, js, stream.Config{
			Partitions: c.Partitions, Replicas: c.Replicas, MaxBytes: c.MaxBytes,
			AckWait: c.AckWait, MaxAckPending: c.MaxAckPending,
		})
		all = append(all, changes...)
		if fault.Of(err) != fault.Unavailable {
			return all, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return all, err
		}
	}
}
