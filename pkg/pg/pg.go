// Package pg is how both services talk to Postgres: a pool with its settings made
// explicit, and one classification of what can go wrong.
package pg

import (
	"context"
	_ "embed"
	"net/url"
	"strconv"
	"time"

	"coworking/pkg/fault"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed check_durability.sql
var checkDurability string

// Querier is what a report or a store needs to read: a pool, a connection and a
// transaction all fit.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// URL is where a database is, password included: it prints without it.
type URL string

// String is the address without its password.
func (u URL) String() string {
	parsed, err := url.Parse(string(u))
	if err != nil {
		return "…"
	}
	if _, secret := parsed.User.Password(); secret {
		parsed.User = url.UserPassword(parsed.User.Username(), "…")
	}
	if query := parsed.Query(); query.Has("password") {
		query.Set("password", "…")
		parsed.RawQuery = query.Encode()
	}
	text, err := url.PathUnescape(parsed.String())
	if err != nil {
		return parsed.Redacted()
	}
	return text
}

// GoString is String: %#v tells no more than %v.
func (u URL) GoString() string { return u.String() }

// UnmarshalText takes an address from a flag or the environment and refuses what
// Postgres could not be reached by.
func (u *URL) UnmarshalText(text []byte) error {
	if _, err := pgxpool.ParseConfig(string(text)); err != nil {
		// pgx's own error can quote the password.
		return fault.Invalid.Errorf("not a Postgres address; it looks like postgres://user:password@host:5432/database")
	}
	*u = URL(text)
	return nil
}

// Options is how a pool differs from the default one, which is meant for reading.
type Options struct {
	Name             string        // application_name, in pg_stat_activity
	MaxConns         int32         // 0: pgx's default, the larger of 4 and the number of cores
	StatementTimeout time.Duration // 0: none
	Writer           bool          // force what a writer's promises rest on
}

// Open makes a pool; it connects when first used. The promise that what was
// acknowledged survives a crash rests on synchronous_commit=on, so a writer sets
// it whatever the server's default is.
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
	params := config.ConnConfig.RuntimeParams
	params["application_name"] = o.Name
	params["timezone"] = "UTC"
	params["idle_in_transaction_session_timeout"] = "60s"
	if o.StatementTimeout > 0 {
		params["statement_timeout"] = strconv.FormatInt(o.StatementTimeout.Milliseconds(), 10)
	}
	if o.Writer {
		params["synchronous_commit"] = "on"
		// Batches join arrays of a few rows or of thousands against tables that
		// grow: the first custom plans would hash-join the whole table.
		params["plan_cache_mode"] = "force_generic_plan"
		params["enable_hashjoin"] = "off"
		params["enable_mergejoin"] = "off"
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, Classify(err)
	}
	return pool, nil
}

// CheckDurability says in sentences where the server keeps less than is promised:
// that what was acknowledged survives a crash.
func CheckDurability(ctx context.Context, db Querier) (weak []string, err error) {
	rows, err := db.Query(ctx, checkDurability)
	if err != nil {
		return nil, Classify(err)
	}
	var name, setting string
	_, err = pgx.ForEachRow(rows, []any{&name, &setting}, func() error {
		if setting != "on" {
			weak = append(weak, "the database's "+name+" is "+setting+": what was acknowledged may not survive a crash")
		}
		return nil
	})
	return weak, Classify(err)
}
