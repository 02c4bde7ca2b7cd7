// Package apply brings a database to a version of the schema.
package apply

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"

	"coworking/migrations"

	"github.com/jackc/pgx/v5"
)

//go:embed state.sql
var selectState string

// State is where a database stands. Version 0 is an empty one. Dirty means that
// nobody knows whether a migration was done: somebody has to look.
type State struct {
	Version uint
	Dirty   bool
}

// Up brings the database to the latest version; one that is further already stays
// there. Any number of runners may call it at once: one does it, the others wait for
// that one and find nothing to do.
//
// A migration is one transaction: one that fails changes nothing, and can be run
// again. One that finds a table in use is run again, until the context ends. What
// happens is said on progress, a line each.
func Up(ctx context.Context, databaseURL string, progress io.Writer) error {
	return locked(ctx, databaseURL, progress, func(r *runner) error {
		for {
			at, err := r.state()
			if err != nil || at.Version >= migrations.Latest() {
				return err
			}
			if err := r.step(ctx, at.Version, at.Version+1); err != nil {
				return err
			}
		}
	})
}

// Down takes back the last changes, as many as there are steps, and what they held.
func Down(ctx context.Context, databaseURL string, steps int, progress io.Writer) error {
	return locked(ctx, databaseURL, progress, func(r *runner) error {
		for range steps {
			at, err := r.state()
			if err != nil || at.Version == 0 {
				return err
			}
			if latest := migrations.Latest(); at.Version > latest {
				return &SchemaError{at, fmt.Sprintf("the schema is at version %d, this build knows %d; take it back with the build that made it", at.Version, latest)}
			}
			if err := r.step(ctx, at.Version, at.Version-1); err != nil {
				return err
			}
		}
		return nil
	})
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
// later one (a schema is expanded before the code that needs it comes). A SchemaError
// says what to do.
func Check(ctx context.Context, db Querier) error {
	found, err := state(ctx, db)
	if err != nil {
		return err
	}
	switch wanted := migrations.Latest(); {
	case found.Dirty:
		return dirty(found.Version)
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

func dirty(version uint) error {
	return &SchemaError{
		State{version, true},
		fmt.Sprintf("a migration to version %d failed halfway; mend it by hand, then set schema_migrations.dirty to false", version),
	}
}

// state reads golang-migrate's own table.
func state(ctx context.Context, db Querier) (State, error) {
	var (
		version int64
		s       State
	)
	err := db.QueryRow(ctx, selectState).Scan(&version, &s.Dirty)
	switch {
	case err == nil:
		s.Version = uint(max(0, version))
		return s, nil
	case errors.Is(err, pgx.ErrNoRows), sqlState(err) == "42P01": // no such table
		return State{}, nil
	}
	return State{}, fmt.Errorf("asking for the schema's version: %w", err)
}
