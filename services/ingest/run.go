package main

import (
	"context"
	"errors"
	"math"
	"net"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"coworking/migrations/apply"
	"coworking/pkg/boot"
	"coworking/pkg/fault"
	"coworking/pkg/pg"
	"coworking/pkg/stream"
	"coworking/services/ingest/internal/consume"
	"coworking/services/ingest/internal/store"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
)

// onceTimeout bounds one statement of a verb that does one thing and ends.
const onceTimeout = 15 * time.Second

// garbagePercent trades memory for time, as long as little is used: collecting what
// batches leave behind is a fifth of the work at Go's default of 100.
const garbagePercent = 200

// garbageLimit is how many bytes are used before garbage is collected sooner. What its
// batches hold is no garbage, so there is room for those of all writers: with as little
// for four as for one, collecting took half of the time.
func (c *runCmd) garbageLimit() int64 {
	const beside, eachEvent = 40 << 20, 5 << 10
	return beside + int64(c.Partitions)*int64(c.BatchSize)*eachEvent
}

// processors is on how many of those that are there the service runs: one for each writer,
// which receives what comes next while it waits for Postgres, and half of them at least,
// for events that come in over HTTP. Go's threads look for work whenever one of them wakes;
// on two cores that took from broker and Postgres what those who wait for them needed.
func (c *runCmd) processors(there int) int {
	if c.Processors > 0 {
		return c.Processors
	}
	return min(there, max(c.Partitions, there/2))
}

// runCmd is `ingest run`: door → stream → store.
type runCmd struct {
	DatabaseURL pg.URL `required:"" env:"DATABASE_URL" help:"Where events and rollups are kept."`
	NATSURL     string `name:"nats-url" required:"" env:"NATS_URL" help:"The broker that the events come through."`
	NATSMonitor string `name:"nats-monitor-url" env:"NATS_MONITOR_URL" help:"The broker's monitoring address, such as http://127.0.0.1:8222: asked whether it syncs every write."`
	IntakeAddr  string `default:"127.0.0.1:5154" env:"INTAKE_ADDR" help:"Where events come in over HTTP (/v1/events), and /livez, /readyz, /metrics and /v1/dead-letters answer. Nobody needs a key as long as it is a loopback address."`
	RequireKeys *bool  `negatable:"" env:"REQUIRE_KEYS" help:"Take events from holders of keys only. The default is to do so on every address but a loopback one: behind a proxy on this machine, say it."`
	Partitions  int    `default:"1" env:"PARTITIONS" help:"How many partitions 'ingest setup' gave the stream."`
	BatchSize   int    `default:"5000" env:"BATCH_SIZE" help:"The most events in one transaction."`
	Processors  int    `env:"GOMAXPROCS" placeholder:"N" help:"On how many processors at once. Unless said: one for each partition, and half of those that are there at least."`
	// The durable's ack wait is at least four times as long, so that a slow batch is
	// not handed to somebody else.
	WriteTimeout time.Duration `default:"15s" env:"WRITE_TIMEOUT" help:"How long one transaction may take. 'ingest setup' makes the stream wait four times as long for an answer, which is how long what a killed worker held stays away."`
	Retention    int           `name:"retention-days" default:"0" env:"RETENTION_DAYS" help:"Days after which raw events are dropped, a visit day at a time; visits and rollups stay for good. 0 keeps everything."`

	Tracing     boot.Tracing       `embed:""`
	Credentials stream.Credentials `embed:""`
	DoorNKey    string             `name:"nats-door-nkey" env:"NATS_DOOR_NKEY_SEED_FILE" placeholder:"FILE" help:"The seed for events that come in over HTTP, such as seeds/door.nk of 'ingest setup --accounts': the worker's own may not publish."`

	hooksFlags
}

// Run opens what the workers need, in the order they need it; the defers close it
// in the opposite order, after the last batch is settled.
func (c *runCmd) Run(ctx context.Context, log *zap.Logger) (err error) {
	if c.BatchSize < 1 || c.Partitions < 1 || c.Processors < 0 || c.Retention < 0 || c.WriteTimeout <= 0 {
		return fault.Invalid.Errorf("--batch-size and --partitions are 1 or more, --processors and --retention-days 0 or more, --write-timeout more than 0")
	}
	tracer, err := c.Tracing.Start(ctx, "ingest", log)
	if err != nil {
		return err
	}
	defer tracer.Close()
	if was := debug.SetGCPercent(garbagePercent); was != 100 {
		debug.SetGCPercent(was) // somebody set GOGC
	}
	if was := debug.SetMemoryLimit(c.garbageLimit()); was != math.MaxInt64 {
		debug.SetMemoryLimit(was) // somebody set GOMEMLIMIT
	}
	runtime.GOMAXPROCS(c.processors(runtime.GOMAXPROCS(0)))
	pool, err := openDatabase(ctx, c.DatabaseURL, "ingest run", c.Partitions, c.WriteTimeout, tracer)
	if err != nil {
		return err
	}
	defer pool.Close()
	conn, js, err := c.Credentials.Connect(c.NATSURL, "ingest run", log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stream.Close(conn)) }()

	health, registry := boot.NewHealth(), boot.NewRegistry("ingest")
	health.Ready("schema", func(ctx context.Context) error { return apply.Check(ctx, pool) })
	letters := &shelf{}
	registry.MustRegister(pg.Metrics(pool, "ingest"), standing{letters})
	closeDoor, door, err := c.door(pool, letters, registry, tracer, log) //nolint:contextcheck // each request brings its own
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDoor()) }()
	mux := boot.Ops(health, registry)
	mux.Handle("/", door) // also what is nowhere: it answers with a problem
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return boot.Serve(ctx, c.IntakeAddr, mux, boot.Announce(health, time.Second)) })
	group.Go(func() error { c.noteDurability(ctx, log, health, pool, js); return nil })
	// A database that is away at the start is no reason to die: /readyz says so
	// until it is there. Events are taken meanwhile, since the stream keeps them.
	kept, err := openStore(ctx, pool, log)
	if err != nil {
		return errors.Join(err, group.Wait())
	}
	if kept == nil { // stopped before the database was there
		return group.Wait()
	}
	buried := newBuried(registry)
	kept.Buried = func(code string) { buried.WithLabelValues(code).Inc() }
	letters.kept.Store(kept)
	for partition := range c.Partitions {
		observe := newObserver(registry, strconv.Itoa(partition))
		health.Ready("stream "+strconv.Itoa(partition), observe.streamReady)
		health.Ready("database "+strconv.Itoa(partition), observe.databaseReady)
		worker := consume.New(consume.Config{
			Partition: partition, BatchSize: c.BatchSize, WriteTimeout: c.WriteTimeout,
			Bind:  c.bind(js, partition),
			Store: kept, Observe: observe, Trace: tracer.Provider(), Log: log.With(zap.Int("partition", partition)),
		})
		group.Go(func() error { return worker.Run(ctx) })
	}
	group.Go(func() error {
		kept.RunRefiling(ctx, func(err error) { log.Warn("filing a space-day anew", zap.Error(err)) })
		return nil
	})
	if c.Retention > 0 {
		group.Go(func() error { c.seal(ctx, kept, log); return nil })
	}
	log.Info("ingesting", zap.Int("partitions", c.Partitions), zap.Int("batch_size", c.BatchSize))
	return group.Wait()
}

// bind looks up a partition's durable, and never makes one.
func (c *runCmd) bind(js jetstream.JetStream, partition int) func(context.Context) (consume.Source, error) {
	return func(ctx context.Context) (consume.Source, error) {
		bound, err := stream.Bind(ctx, js, stream.Config{
			Partitions: c.Partitions, AckWait: 4 * c.WriteTimeout, MaxAckPending: 4 * c.BatchSize,
		}, partition)
		if err != nil {
			return consume.Source{}, err
		}
		return consume.Source{
			Consumer: bound, Created: bound.Created, AckWait: bound.CachedInfo().Config.AckWait, Received: bound.Received, Release: bound.Release,
		}, nil
	}
}

// seal drops the raw events of visit days that are past the limit, an hour's worth
// at a time.
func (c *runCmd) seal(ctx context.Context, kept *store.Store, log *zap.Logger) {
	const most = 1000
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		sealed, err := kept.Seal(ctx, time.Now().AddDate(0, 0, -c.Retention), most)
		if err != nil && ctx.Err() == nil {
			log.Warn("sealing visit days", zap.Error(err))
		}
		if sealed > 0 {
			log.Info("sealed visit days", zap.Int("space_days", sealed))
		}
		if sealed == most {
			continue
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// onLoopback says whether only this machine can reach an address.
func onLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// openDatabase is a writer's pool: a connection for each worker, and some for
// re-filing, marks and questions about readiness.
func openDatabase(ctx context.Context, u pg.URL, name string, writers int, timeout time.Duration, tracer *boot.Tracer) (*pgxpool.Pool, error) {
	return pg.Open(ctx, u, pg.Options{
		Name: name, MaxConns: int32(writers) + 4, StatementTimeout: timeout, Writer: true, Trace: tracer.Provider(),
	})
}

// openStore waits until the database is there and has the schema that this build
// needs. A schema that it will never have by waiting is still waited for: the
// migration may be on its way, and /readyz says what is missing. It returns nil if it
// was stopped before.
func openStore(ctx context.Context, pool *pgxpool.Pool, log *zap.Logger) (*store.Store, error) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for said := ""; ; {
		err := apply.Check(ctx, pool)
		if err == nil {
			var kept *store.Store
			if kept, err = store.New(ctx, pool); err == nil {
				return kept, nil
			}
		}
		if err.Error() != said {
			said = err.Error()
			log.Warn("waiting for the database", zap.Error(err))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, nil
		}
	}
}

// noteDurability says, in the log and in /readyz, where less is promised than an
// acknowledged event deserves, as soon as database and broker can be asked.
func (c *runCmd) noteDurability(ctx context.Context, log *zap.Logger, health *boot.Health, pool *pgxpool.Pool, js jetstream.JetStream) {
	var monitors []string
	if c.NATSMonitor != "" {
		monitors = append(monitors, c.NATSMonitor)
	}
	unknown := map[string]func(context.Context) ([]string, error){
		"database": func(ctx context.Context) ([]string, error) { return pg.CheckDurability(ctx, pool) },
		"broker":   func(ctx context.Context) ([]string, error) { return stream.CheckDurability(ctx, js, monitors...) },
	}
	said := map[string]bool{}
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		for which, check := range unknown {
			asking, cancel := context.WithTimeout(ctx, 5*time.Second)
			weak, err := check(asking)
			cancel()
			for i, text := range weak {
				health.Note(which+" durability "+strconv.Itoa(i+1), text)
				if !said[text] {
					log.Warn("weaker than promised", zap.String("durability", text))
				}
				said[text] = true
			}
			if err == nil {
				delete(unknown, which)
			} else if !said[err.Error()] && ctx.Err() == nil {
				log.Warn("not known yet how durable the "+which+" is", zap.Error(err))
				said[err.Error()] = true
			}
		}
		if len(unknown) == 0 {
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}
