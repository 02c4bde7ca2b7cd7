package legacy

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"coworking/pkg/devpg"
	"coworking/pkg/fault"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5/pgconn"
)

//go:embed sql/create_role.sql
var createRoleSQL string

//go:embed sql/create_database.sql
var createDatabaseSQL string

// insertBatch is how many bytes of inserts go to the server at once.
const insertBatch = 64 << 10

// passedOver is what a dump may ask for that this server does not have or does not
// grant, and that no row depends on: owners, privileges, settings of a newer
// version, extensions, a schema that is there already.
var passedOver = map[string]bool{
	"42704": true, // no such role, or no such setting
	"42501": true, // not allowed: owners, roles, extensions, programs
	"0A000": true, // no such extension
	"42P06": true, // the schema is there
	"42710": true, // and so is this
	"25001": true, // cannot run in a transaction
}

// Scratch is a Postgres with a dump in it, for as long as it is read.
type Scratch struct {
	dir    string
	server *devpg.Server
	conn   *pgconn.PgConn
}

// NewScratch starts a Postgres in a temporary folder. What it fetches is said on
// progress.
//
// A dump is read here and not by psql: psql need not be at hand where a Postgres
// was fetched, it obeys backslash commands that run programs, and it goes on after
// an insert that failed.
func NewScratch(ctx context.Context, progress io.Writer) (*Scratch, error) {
	dir, err := os.MkdirTemp("", "coworking-import-")
	if err != nil {
		return nil, fault.Internal.Errorf("a folder for the dump's database: %w", err)
	}
	s := &Scratch{dir: dir}
	if err := s.start(ctx, progress); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Scratch) start(ctx context.Context, progress io.Writer) error {
	err := os.Chmod(s.dir, 0o711) // started by root, Postgres runs as somebody else, who has to pass
	if err != nil {
		return fault.Internal.Errorf("a folder for the dump's database: %w", err)
	}
	s.server, err = devpg.Start(ctx, devpg.Config{Dir: filepath.Join(s.dir, "postgres"), Fast: true, Progress: progress})
	if err != nil {
		return err
	}
	admin, err := pgconn.Connect(ctx, s.server.URL("postgres"))
	if err != nil {
		return pg.Classify(err)
	}
	defer admin.Close(ctx)
	for _, sql := range []string{createRoleSQL, createDatabaseSQL} {
		if _, err := admin.Exec(ctx, sql).ReadAll(); err != nil {
			return pg.Classify(err)
		}
	}
	if s.conn, err = pgconn.Connect(ctx, string(s.URL())); err != nil {
		return pg.Classify(err)
	}
	return nil
}

// URL is where the dump can be read once it is loaded.
func (s *Scratch) URL() pg.URL { return s.urlAs("loader") }

func (s *Scratch) urlAs(user string) pg.URL {
	address, err := url.Parse(s.server.URL("legacy"))
	if err != nil {
		panic(err) // devpg made it
	}
	address.User = url.User(user)
	return pg.URL(address.String())
}

// Close stops the server and removes all of it.
func (s *Scratch) Close() {
	if s.conn != nil {
		_ = s.conn.Close(context.Background()) // the server goes anyway
	}
	if s.server != nil {
		s.server.Stop()
	}
	_ = os.RemoveAll(devpg.Real(filepath.Join(s.dir, "postgres")))
	_ = os.RemoveAll(s.dir)
}

// Load runs a dump, in any form of SQL that Postgres takes, COPY included; several
// are loaded in the order in which they were made. It returns sentences about
// statements that were passed over, because no row depends on them. An error is
// fault.Invalid and names the line.
func (s *Scratch) Load(ctx context.Context, name string, dump io.Reader) (notes []string, err error) {
	in := newScript(dump)
	var inserts statement // several, to be sent together
	flush := func() error {
		if len(inserts.text) == 0 {
			return nil
		}
		_, err := s.conn.Exec(ctx, string(inserts.text)).ReadAll()
		if err != nil {
			return refused(name, fmt.Sprintf("lines %d to %d", inserts.line, in.line), err)
		}
		inserts = statement{}
		return nil
	}
	for {
		next, err := in.next()
		if errors.Is(err, io.EOF) {
			return notes, flush()
		}
		if err != nil {
			return notes, fault.Invalid.Errorf("%s: %w", name, err)
		}
		// Each insert runs exactly once: where ids are counted by the server, a
		// second try would give other ids.
		if insertWord.Match(next.text) {
			if len(inserts.text) == 0 {
				inserts.line = next.line
			}
			inserts.text = append(append(inserts.text, next.text...), ";\n"...)
			if len(inserts.text) >= insertBatch {
				if err := flush(); err != nil {
					return notes, err
				}
			}
			continue
		}
		if err := flush(); err != nil {
			return notes, err
		}
		note, err := s.run(ctx, in, next)
		if err != nil {
			return notes, refused(name, fmt.Sprintf("line %d", next.line), err)
		}
		if note != "" {
			notes = append(notes, fmt.Sprintf("%s, line %d: passed over: %s", name, next.line, note))
		}
	}
}

// run runs a statement that is no insert. The note says why it was passed over.
func (s *Scratch) run(ctx context.Context, in *script, next statement) (note string, err error) {
	switch {
	case transaction.Match(next.text):
		return "", nil // nobody else is there to see half of it
	case copyStdin.Match(next.text):
		data, err := in.rows()
		if err != nil {
			return "", err
		}
		_, err = s.conn.CopyFrom(ctx, data, string(next.text))
		return "", err
	}
	_, err = s.conn.Exec(ctx, string(next.text)).ReadAll()
	if err != nil && passedOver[pg.SQLState(err)] {
		return err.Error(), nil
	}
	return "", err
}

// refused says where a dump went wrong.
func refused(name, where string, err error) error {
	advice := ""
	if state := pg.SQLState(err); state == "42P01" || state == "23503" {
		advice = "; are the files in the order in which they are to be loaded?"
	}
	return fault.Invalid.Errorf("%s, %s: %w%s", name, where, err, advice)
}
