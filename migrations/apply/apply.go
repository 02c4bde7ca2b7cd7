// Package apply brings a database to a version of the schema.
package apply

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"coworking/migrations"

	"github.com/golang-migrate/migrate/v4"
	driver "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// lock is the advisory lock that runners queue for. golang-migrate has one of its
// own, which it waits for inside the database: that deadlocks with CREATE INDEX
// CONCURRENTLY, which waits for every transaction. So runners poll this one first,
// and only one ever asks for the other.
const lock int64 = 0x636f776f726b_02

const (
	lockPoll    = 200 * time.Millisecond
	lockTimeout = "10s" // for a table: a migration must not queue behind a long report, and everybody behind it
)

// State is where a database stands. Version 0 is an empty one. Dirty means that a
// migration failed halfway: somebody has to look.
type State struct {
	Version uint
	Dirty   bool
}

// Up brings the database to the latest version. Any number of runners may call it
// at once; the others wait, and find nothing to do.
func Up(ctx context.Context, databaseURL string) error {
	return locked(ctx, databaseURL, func(m *migrate.Migrate) error { return m.Up() })
}

// Down takes back the last steps changes, and what they held.
func Down(ctx context.Context, databaseURL string, steps int) error {
	return locked(ctx, databaseURL, func(m *migrate.Migrate) error { return m.Steps(-steps) })
}

// Status says where the database stands.
func Status(ctx context.Context, databaseURL string) (State, error) {
	conn, err := connect(ctx, databaseURL)
	if err != nil {
		return State{}, err
	}
	defer closeConn(conn)
	return state(ctx, conn)
}

// Querier is what Check asks: a pool or a connection.
type Querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Check is nil if the database has the version that this build is written for, or a
// later one (a schema is expanded before the code that needs it comes). The error
// says what to do.
func Check(ctx context.Context, db Querier) error {
	found, err := state(ctx, db)
	if err != nil {
		return err
	}
	switch wanted := migrations.Latest(); {
	case found.Dirty:
		return &SchemaError{found, fmt.Sprintf("a migration to version %d failed halfway; mend it by hand, then set schema_migrations.dirty to false", found.Version)}
	case found.Version == 0:
		return &SchemaError{found, "the database has no schema yet; run: ingest migrate up"}
	case found.Version < wanted:
		return &SchemaError{found, fmt.Sprintf("the schema is at version %d, this build needs %d; run: ingest migrate up", found.Version, wanted)}
	}
	return nil
}

// SchemaError says that the schema is not what this build needs.
type SchemaError struct {
	Found  State
	advice string
}

// Error is the advice.
func (e *SchemaError) Error() string { return e.advice }

// state reads golang-migrate's own table.
func state(ctx context.Context, db Querier) (State, error) {
	var (
		version int64
		s       State
	)
	err := db.QueryRow(ctx, "select version, dirty from schema_migrations").Scan(&version, &s.Dirty)
	var refused *pgconn.PgError
	switch {
	case err == nil:
		s.Version = uint(max(0, version))
		return s, nil
	case errors.Is(err, pgx.ErrNoRows), errors.As(err, &refused) && refused.Code == "42P01": // no such table
		return State{}, nil
	}
	return State{}, fmt.Errorf("asking for the schema's version: %w", err)
}

// locked runs fn while no other runner does.
func locked(ctx context.Context, databaseURL string, fn func(*migrate.Migrate) error) error {
	conn, err := connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer closeConn(conn) // and with the session goes the lock
	if err := waitForLock(ctx, conn); err != nil {
		return err
	}
	m, err := open(databaseURL)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { m.GracefulStop <- true })
	defer stop()
	err = fn(m)
	sourceErr, databaseErr := m.Close()
	if errors.Is(err, migrate.ErrNoChange) {
		err = nil
	}
	if dirty, ok := errors.AsType[migrate.ErrDirty](err); ok {
		return &SchemaError{State{uint(max(0, dirty.Version)), true}, fmt.Sprintf(
			"a migration to version %d failed halfway; mend it by hand, then set schema_migrations.dirty to false", dirty.Version)}
	}
	if err = errors.Join(err, sourceErr, databaseErr); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	return ctx.Err()
}

func waitForLock(ctx context.Context, conn *pgx.Conn) error {
	poll := time.NewTicker(lockPoll)
	defer poll.Stop()
	for {
		var mine bool
		if err := conn.QueryRow(ctx, "select pg_try_advisory_lock($1)", lock).Scan(&mine); err != nil {
			return fmt.Errorf("waiting for another migration to end: %w", err)
		}
		if mine {
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for another migration to end: %w", ctx.Err())
		}
	}
}

func open(databaseURL string) (*migrate.Migrate, error) {
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return nil, errors.New("the database's address cannot be read")
	}
	config.RuntimeParams["lock_timeout"] = lockTimeout
	db := stdlib.OpenDB(*config)
	target, err := driver.WithInstance(db, &driver.Config{})
	if err != nil {
		return nil, fmt.Errorf("migrating: %w", errors.Join(err, db.Close()))
	}
	source, err := iofs.New(migrations.FS, ".")
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", errors.Join(err, target.Close()))
	}
	m, err := migrate.NewWithInstance("migrations", source, "postgres", target)
	if err != nil {
		return nil, fmt.Errorf("migrating: %w", errors.Join(err, target.Close()))
	}
	return m, nil
}

func connect(ctx context.Context, databaseURL string) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		where := "the database"
		if u, parseErr := url.Parse(databaseURL); parseErr == nil {
			where = u.Host + u.Path
		}
		return nil, fmt.Errorf("connecting to %s: %w", where, err)
	}
	return conn, nil
}

func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = conn.Close(ctx) // the server ends the session either way
}
