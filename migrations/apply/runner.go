package apply

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"coworking/migrations"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"
	driver "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// lockTimeout is how long a migration waits for a table, and with it everybody
	// who wants that table next.
	lockTimeout = "2s"
	// busyPause is how long those have it to themselves before it tries again.
	busyPause = time.Second
)

// runner goes from version to version.
type runner struct {
	migrate  *migrate.Migrate
	file     *file
	progress io.Writer
}

func newRunner(databaseURL, name string, progress io.Writer) (*runner, error) {
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return nil, errors.New("the database's address cannot be read")
	}
	config.RuntimeParams["application_name"] = name
	config.RuntimeParams["lock_timeout"] = lockTimeout
	db := stdlib.OpenDB(*config)
	target, err := driver.WithInstance(db, &driver.Config{})
	if err != nil {
		return nil, fmt.Errorf("migrating: %w", errors.Join(plain(err), db.Close()))
	}
	source, err := iofs.New(migrations.FS, ".")
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", errors.Join(err, target.Close()))
	}
	r := &runner{file: &file{Driver: target}, progress: progress}
	if r.migrate, err = migrate.NewWithInstance("migrations", source, "postgres", r.file); err != nil {
		return nil, fmt.Errorf("migrating: %w", errors.Join(err, target.Close()))
	}
	return r, nil
}

func (r *runner) close() error {
	sourceErr, databaseErr := r.migrate.Close()
	return errors.Join(sourceErr, databaseErr)
}

// state is where the database stands, and an error if somebody has to look at it.
func (r *runner) state() (State, error) {
	version, broken, err := r.migrate.Version()
	switch {
	case errors.Is(err, migrate.ErrNilVersion):
		return State{}, nil
	case err != nil:
		return State{}, fmt.Errorf("asking for the schema's version: %w", plain(err))
	case broken:
		return State{}, dirty(version)
	}
	return State{Version: version}, nil
}

// step goes to the next version, or to the one before.
func (r *runner) step(ctx context.Context, from, to uint) error {
	for {
		err := r.try(from, to)
		switch {
		case err == nil:
			fmt.Fprintf(r.progress, "version %d → %d\n", from, to)
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("stopped at version %d: %w (%w)", from, ctx.Err(), err)
		case !busy(err):
			return err
		}
		fmt.Fprintf(r.progress, "version %d → %d: a table is in use, trying again\n", from, to)
		select {
		case <-time.After(busyPause):
		case <-ctx.Done():
			return fmt.Errorf("stopped at version %d: %w (%w)", from, ctx.Err(), err)
		}
	}
}

// try runs one file. golang-migrate calls the schema dirty before it runs the file,
// and leaves it so whatever happens then. But Postgres takes back all that a failed
// file did, so the version can be set to what is true.
func (r *runner) try(from, to uint) error {
	*r.file = file{Driver: r.file.Driver}
	err := plain(r.migrate.Steps(int(to) - int(from)))
	var noted error
	switch {
	case err == nil:
		return nil
	case r.file.ran && r.file.err == nil: // it could not be noted
		if noted = r.note(to); noted == nil {
			return nil
		}
	case r.file.ran && r.file.takenBack():
		noted = r.note(from)
	case r.file.ran:
		noted = errors.New("some of it may be left")
	}
	err = fmt.Errorf("migrating from version %d to %d: %w", from, to, err)
	if noted != nil {
		return fmt.Errorf("%w: %w (%w)", dirty(to), err, noted)
	}
	return err
}

// note writes down a version that is true. A cancellation meant for the file may hit
// the first attempt.
func (r *runner) note(version uint) error {
	number := int(version)
	if number == 0 {
		number = database.NilVersion
	}
	err := r.migrate.Force(number)
	if err != nil {
		err = r.migrate.Force(number)
	}
	return plain(err)
}

// file is the database as golang-migrate sees it, and remembers what became of the
// file that it ran, apart from the book-keeping around it.
type file struct {
	database.Driver

	text []byte
	ran  bool
	err  error
}

// Run is database.Driver's.
func (f *file) Run(migration io.Reader) error {
	f.ran = true
	if f.text, f.err = io.ReadAll(migration); f.err == nil {
		f.err = f.Driver.Run(bytes.NewReader(f.text))
	}
	return f.err
}

// outside is what a transaction cannot take back, or what ends it before the file
// does. A word in a comment is taken for it too, and then somebody has to look.
var outside = regexp.MustCompile(`(?i)\b(concurrently|commit)\b`)

// takenBack says whether nothing is left of a file that failed: Postgres said so,
// and it ran all statements as one transaction.
func (f *file) takenBack() bool { return sqlState(plain(f.err)) != "" && !outside.Match(f.text) }

// plain is an error of golang-migrate's without the text of the whole file in it,
// and with its cause.
func plain(err error) error {
	said, ok := errors.AsType[database.Error](err)
	if pointer, is := errors.AsType[*database.Error](err); is {
		said, ok = *pointer, true
	}
	if !ok || said.OrigErr == nil {
		return err
	}
	if e, ok := errors.AsType[*pgconn.PgError](said.OrigErr); ok && e.Position > 0 {
		return fmt.Errorf("line %d: %w", said.Line, said.OrigErr)
	}
	return said.OrigErr
}

// busy says whether the same again may succeed: a lock was not free in time, or two
// waited for each other.
func busy(err error) bool {
	state := sqlState(err)
	return state == "55P03" || state == "40P01"
}

func sqlState(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}
