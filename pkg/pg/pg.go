// Package pg is how both services talk to Postgres: a pool with its settings made
// explicit, and one classification of what can go wrong.
package pg

import (
	"context"
	_ "embed"
	"strconv"
	"time"

	"coworking/pkg/fault"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"
)

//go:embed set.sql
var set string

// Querier is what a report or a store needs to read: a pool, a connection and a
// transaction all fit.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Options is how a pool differs from the default one, which is meant for reading.
type Options struct {
	Name             string        // application_name, in pg_stat_activity
	MaxConns         int32         // 0: pgx's default, the larger of 4 and the number of cores
	StatementTimeout time.Duration // 0: none
	Writer           bool          // force what a writer's promises rest on

	Trace trace.TracerProvider // statements within a span get one of their own; nil: none do
}

// Open makes a pool; it connects when first used.
func Open(ctx context.Context, u URL, o Options) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(string(u))
	if err != nil {
		return nil, fault.Invalid.Errorf("database address %s cannot be read", u)
	}
	if o.MaxConns > 0 {
		config.MaxConns = o.MaxConns
	}
	config.MaxConnIdleTime = 5 * time.Minute
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	// These two a pooler keeps for each of its clients. What else were said here, a
	// pooler would refuse or, told to ignore it, drop: so it is said once connected.
	config.ConnConfig.RuntimeParams["application_name"] = o.Name
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	if o.Trace != nil { // the text of a statement names nobody: what it is asked with is not in it
		config.ConnConfig.Tracer = otelpgx.NewTracer(otelpgx.WithTracerProvider(o.Trace),
			otelpgx.WithDisableConnectionDetailsInAttributes(), otelpgx.WithDisableAcquireTracer())
	}
	names, settings := o.settings()
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, set, pgx.QueryExecModeExec, pgx.StrictNamedArgs{"names": names, "settings": settings})
		return Classify(err)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, Classify(err)
	}
	return pool, nil
}

// settings is what each session of the pool is told. The promise that what was
// acknowledged survives a crash rests on synchronous_commit=on, so a writer sets it
// whatever the server's default is.
func (o Options) settings() (names, settings []string) {
	say := func(name, setting string) {
		names, settings = append(names, name), append(settings, setting)
	}
	say("idle_in_transaction_session_timeout", "60s")
	// Every statement takes milliseconds: compiling one would take longer. A writer's
	// plans look dearer than they are, since it may not read tables through.
	say("jit", "off")
	// Every statement has one right plan, whatever it is asked with; to make one each time
	// would take longer than to follow it.
	say("plan_cache_mode", "force_generic_plan")
	if o.StatementTimeout > 0 {
		say("statement_timeout", strconv.FormatInt(o.StatementTimeout.Milliseconds(), 10))
	}
	if o.Writer {
		say("synchronous_commit", "on")
		// A plan made while a table was nearly empty would read all of it, and
		// stay: keys are always looked up in an index.
		say("enable_seqscan", "off")
		say("enable_hashjoin", "off")
		say("enable_mergejoin", "off")
	}
	return names, settings
}
