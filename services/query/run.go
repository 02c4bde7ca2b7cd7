package main

import (
	"context"
	"errors"
	"math"
	"net"
	"runtime/debug"
	"strings"
	"time"

	"coworking/migrations/apply"
	"coworking/pkg/boot"
	"coworking/pkg/fault"
	"coworking/pkg/key"
	"coworking/pkg/pg"
	"coworking/services/query/internal/access"
	"coworking/services/query/internal/api"
	"coworking/services/query/internal/legacy"
	"coworking/services/query/internal/remember"
	"coworking/services/query/internal/report"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
)

// questionTimeout is how long one question to the database may take.
const questionTimeout = 30 * time.Second

// spare is the connections that no question gets: for the turn to log the daily
// object, for reading it, for probes, for looking keys up and for the audit, which
// must not queue.
const spare = 5

// garbageLimit is how many bytes are held before garbage is collected sooner: enough for
// what is remembered and three quarters as much again. With less of it nothing is collected sooner,
// which would make each answer after an event slower.
const garbageLimit = remember.Most * 7 / 4

// runCmd is `query run`: store → report → HTTP.
type runCmd struct {
	databaseFlags

	Addr           address       `name:"addr" aliases:"query-addr" env:"QUERY_ADDR" placeholder:"HOST:PORT" help:"Where to listen; 127.0.0.1 and --app-port if not given. Nobody needs a key as long as it is a loopback address."`
	AppPort        uint16        `default:"5153" env:"APP_PORT" help:"The port, where no address is given."`
	NATSURL        string        `name:"nats-url" env:"NATS_URL" help:"Taken as by every verb; not used: reports come from the database."`
	LegacyTZ       zone          `name:"legacy-tz" default:"UTC" env:"LEGACY_TZ" help:"The time zone of the old system's timestamps; the importer must be told the same."`
	RequireKeys    *bool         `negatable:"" env:"REQUIRE_KEYS" help:"Answer /api/v1 to holders of keys only. The default is to do so on every address but a loopback one: behind a proxy on this machine, say it."`
	Rate           float64       `name:"rate-limit" default:"50" env:"RATE_LIMIT" help:"How many requests a second each key may make in the long run; 0: no limit."`
	Burst          int           `name:"rate-burst" default:"200" env:"RATE_BURST" help:"How many it may make at once."`
	OIDC           oidcFlags     `embed:"" prefix:"oidc-" group:"Tokens of an OpenID Connect issuer, beside keys:"`
	LegacyOpen     *bool         `negatable:"" env:"LEGACY_OPEN" help:"Answer /api/reports/user_visits to anybody. The default is to do so on a loopback address only."`
	MaxConnections int32         `default:"12" env:"MAX_CONNECTIONS" help:"The most connections to the database, at least 6."`
	Notice         time.Duration `default:"1s" env:"SHUTDOWN_NOTICE" help:"How long /readyz says so before a stop closes the door."`
	Tracing        boot.Tracing  `embed:""`
}

// Run serves until the context ends, then finishes the requests it has.
func (r *runCmd) Run(ctx context.Context, log *zap.Logger) error {
	database, err := r.database()
	if err != nil {
		return err
	}
	tracer, err := r.Tracing.Start(ctx, "query", log)
	if err != nil {
		return err
	}
	defer tracer.Close()
	if was := debug.SetMemoryLimit(garbageLimit); was != math.MaxInt64 {
		debug.SetMemoryLimit(was) // somebody set GOMEMLIMIT
	}
	pool, err := pg.Open(ctx, database, pg.Options{
		Name: "query", MaxConns: max(r.MaxConnections, spare+1), StatementTimeout: questionTimeout, Trace: tracer.Provider(),
	})
	if err != nil {
		return err
	}
	defer pool.Close()

	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", r.listen())
	if err != nil {
		return fault.Internal.Errorf("listening: %w", err)
	}
	log.Info("listening",
		zap.Stringer("address", listener.Addr()), zap.Stringer("database", database),
		zap.String("authentication", r.authentication(isLoopback(listener.Addr()))))
	err = r.serve(ctx, log, pool, tracer, listener)
	log.Info("stopped")
	return err
}

// serve answers on a listener, and logs the old system's daily line.
func (r *runCmd) serve(ctx context.Context, log *zap.Logger, pool *pgxpool.Pool, tracer *boot.Tracer, listener net.Listener) error {
	loopback := isLoopback(listener.Addr())
	health, registry := boot.NewHealth(), boot.NewRegistry("query")
	health.Ready("database", func(ctx context.Context) error { return ready(ctx, log, pool, health) })
	registry.MustRegister(pg.Metrics(pool, "query"), reach{pool})
	old := &legacy.Reports{Pool: pool, Zone: r.LegacyTZ.Location}
	keys := key.NewKeys(pool, time.Now)
	keys.Unwritten = func(err error) { log.Warn("that a key was used could not be written down", zap.Error(err)) }
	defer keys.Close()
	issuer := r.OIDC.issuer()
	if issuer != nil {
		defer issuer.Close()
	}
	reports := report.NewReader(pool)
	handler := api.New(api.Config{ //nolint:contextcheck // each request brings its own
		Reports:    reports,
		Legacy:     old,
		Log:        log,
		Metrics:    registry,
		Trace:      tracer,
		Ops:        boot.Ops(health, registry),
		Now:        time.Now,
		Remembered: reports.Remembered,
		Authority:  &access.Authority{Keys: keys, Issuer: issuer},
		Audit:      access.Audit{Pool: pool},
		Rate:       api.Rate{PerSecond: r.Rate, Burst: max(r.Burst, 1)},
		Open:       r.open(loopback), LegacyOpen: r.legacyOpen(loopback),
		AtOnce: int(pool.Config().MaxConns) - spare, Patience: time.Second, Timeout: questionTimeout,
	})

	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return boot.ServeOn(ctx, listener, handler, boot.Announce(health, r.Notice)) })
	g.Go(func() error {
		tick := time.NewTicker(legacy.LogEvery)
		defer tick.Stop()
		old.Log(ctx, log, tick.C)
		return nil
	})
	return g.Wait()
}

// isLoopback says whether only this machine can reach an address.
func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// authentication is what the start log says of who is answered.
func (r *runCmd) authentication(loopback bool) string {
	if r.open(loopback) {
		return "off: only this machine can ask"
	}
	return "on: make a key with `query keys create`"
}

// ready says whether questions can be answered, and notes where the database is
// set to forget what it said it kept. Why a database does not answer is for the
// log: its words name hosts and users.
func ready(ctx context.Context, log *zap.Logger, pool *pgxpool.Pool, health *boot.Health) error {
	err := apply.Check(ctx, pool)
	if _, schema := errors.AsType[*apply.SchemaError](err); schema {
		return err
	}
	var weak []string
	if err == nil {
		weak, err = pg.CheckDurability(ctx, pool)
	}
	if err != nil {
		log.Warn("not ready", zap.Error(err))
		return errDatabase
	}
	health.Note("durability", strings.Join(weak, "; "))
	return nil
}

var errDatabase = errors.New("the database does not answer")
