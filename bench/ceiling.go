package main

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/pg"
	"coworking/pkg/stream"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

var (
	//go:embed sql/ceiling_schema.sql
	ceilingSchema string
	//go:embed sql/ceiling_batch.sql
	ceilingBatch string
	//go:embed sql/ceiling_events.sql
	ceilingEvents string
	//go:embed sql/ceiling_day.sql
	ceilingDay string
	//go:embed sql/ceiling_slot.sql
	ceilingSlot string
	//go:embed sql/ceiling_member_day.sql
	ceilingMemberDay string
)

// ceilingConsumer is the ceiling's own durable. It acknowledges with AckAll, one
// answer a batch, which the service must never do: the answer would cover what
// another worker, or one that died, never committed.
const ceilingConsumer = "ceiling"

// ceilingCmd is the program that the service is measured beside: it takes the same
// messages to the same Postgres with everything left out that a simple program
// would leave out. It knows no calendar, no visits, no late events, no voids, no
// dead letters, no second worker; a broken message ends it. Its numbers for
// members and spaces are its own, and gone when it ends.
type ceilingCmd struct {
	DatabaseURL pg.URL `required:"" help:"A database to itself."`
	NATSURL     string `name:"nats-url" required:"" help:"The broker with the events in it."`
	BatchSize   int    `default:"5000" help:"The most events in one transaction."`
	Eager       bool   `help:"Store what there is as soon as what was there before is stored, instead of waiting for a whole batch for up to a second."`
}

// Run consumes until it is stopped.
func (c *ceilingCmd) Run(ctx context.Context) error {
	db, err := pgx.Connect(ctx, string(c.DatabaseURL))
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	for _, statement := range []string{"set synchronous_commit = on", ceilingSchema, ceilingBatch} {
		if _, err := db.Exec(ctx, statement); err != nil {
			return fmt.Errorf("preparing the database: %w", err)
		}
	}
	broker, err := nats.Connect(c.NATSURL)
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	defer broker.Close()
	js, err := jetstream.New(broker)
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	consumer, err := js.Consumer(ctx, stream.Name, ceilingConsumer)
	if err != nil {
		return fmt.Errorf("consumer: %w", err)
	}

	// One receives, one writes, as in the service.
	ahead := 1
	if c.Eager {
		ahead = 0 // what waits for the writer grows until it takes it
	}
	batches := make(chan []received, ahead)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(batches)
		return receive(ctx, consumer, c.BatchSize, c.Eager, batches)
	})
	group.Go(func() error {
		w := ceilingWriter{db: db, spaces: map[string]int32{}, members: map[string]int32{}, kinds: map[string]int32{}}
		for batch := range batches {
			if err := w.write(ctx, batch); err != nil {
				return err
			}
			if err := batch[len(batch)-1].message.Ack(); err != nil {
				return fmt.Errorf("acknowledging: %w", err)
			}
		}
		return nil
	})
	if err := group.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

// received is a decoded message.
type received struct {
	event   event.Event
	message jetstream.Msg
}

func receive(ctx context.Context, consumer jetstream.Consumer, size int, eager bool, batches chan<- []received) error {
	for ctx.Err() == nil {
		fetched, err := consumer.Fetch(size, jetstream.FetchMaxWait(time.Second))
		if err != nil {
			return fmt.Errorf("fetching: %w", err)
		}
		var batch []received
		for coming := fetched.Messages(); coming != nil || len(batch) > 0; {
			ready := batches
			if len(batch) == 0 || coming != nil && !eager {
				ready = nil
			}
			select {
			case message, more := <-coming:
				if !more {
					coming = nil
					continue
				}
				decoded, err := event.Decode(message.Data(), event.Options{})
				if err != nil {
					return fmt.Errorf("decoding: %w", err)
				}
				batch = append(batch, received{decoded, message})
			case ready <- batch:
				batch = nil
			case <-ctx.Done():
				return nil
			}
		}
	}
	return nil
}

// ceilingWriter stores batches, one transaction each, with the fewest round trips
// that COPY allows: begin, COPY, insert, and the three upserts with the commit.
type ceilingWriter struct {
	db                     *pgx.Conn
	spaces, members, kinds map[string]int32
}

func (w *ceilingWriter) write(ctx context.Context, batch []received) error {
	rows := make(map[event.Key]row, len(batch))
	copied := make([][]any, len(batch))
	for i, r := range batch {
		e := r.event
		row := row{
			space: intern(w.spaces, e.Space), member: intern(w.members, e.Member),
			day: e.Time.Truncate(24 * time.Hour), slot: e.Time.Truncate(15 * time.Minute),
		}
		rows[e.Key()] = row
		copied[i] = []any{[16]byte(e.Key()), row.space, row.member, intern(w.kinds, string(e.Kind)), e.Time}
	}
	return pgx.BeginFunc(ctx, w.db, func(tx pgx.Tx) error {
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"batch"}, []string{"key", "space", "member", "kind", "time"}, pgx.CopyFromRows(copied))
		if err != nil {
			return fmt.Errorf("copying: %w", err)
		}
		stored, err := tx.Query(ctx, ceilingEvents)
		if err != nil {
			return fmt.Errorf("inserting: %w", err)
		}
		fresh, err := pgx.CollectRows(stored, pgx.RowTo[[16]byte])
		if err != nil {
			return fmt.Errorf("inserting: %w", err)
		}
		if err := tx.SendBatch(ctx, upserts(rows, fresh)).Close(); err != nil {
			return fmt.Errorf("adding up: %w", err)
		}
		return nil
	})
}

// row is what an event adds one to.
type row struct {
	space, member int32
	day, slot     time.Time
}

// upserts adds what is new to the three rollups.
func upserts(rows map[event.Key]row, fresh [][16]byte) *pgx.Batch {
	days, slots, memberDays := map[row]int64{}, map[row]int64{}, map[row]int64{}
	for _, key := range fresh {
		r := rows[key]
		days[row{space: r.space, day: r.day}]++
		slots[row{space: r.space, slot: r.slot}]++
		memberDays[row{space: r.space, day: r.day, member: r.member}]++
	}
	var batch pgx.Batch
	for statement, counts := range map[string]map[row]int64{ceilingDay: days, ceilingSlot: slots, ceilingMemberDay: memberDays} {
		batch.Queue(statement, columns(counts))
	}
	return &batch
}

// columns turns counts into arrays, one a column, sorted by their key.
func columns(counts map[row]int64) pgx.NamedArgs {
	var (
		spaces, members []int32
		dates, instants []time.Time
		ns              []int64
	)
	for _, r := range slices.SortedFunc(maps.Keys(counts), compareRows) {
		spaces, members = append(spaces, r.space), append(members, r.member)
		dates, instants = append(dates, r.day), append(instants, r.slot)
		ns = append(ns, counts[r])
	}
	return pgx.NamedArgs{"spaces": spaces, "members": members, "days": dates, "slots": instants, "counts": ns}
}

func compareRows(a, b row) int {
	return cmp.Or(cmp.Compare(a.space, b.space), a.day.Compare(b.day), a.slot.Compare(b.slot), cmp.Compare(a.member, b.member))
}

// intern is the number of a name.
func intern(names map[string]int32, name string) int32 {
	id, known := names[name]
	if !known {
		id = int32(len(names) + 1)
		names[name] = id
	}
	return id
}
