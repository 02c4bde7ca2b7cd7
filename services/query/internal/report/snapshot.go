package report

import (
	"context"
	_ "embed"
	"errors"
	"reflect"
	"time"

	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

var (
	//go:embed begin.sql
	beginSQL string
	//go:embed end.sql
	endSQL string
)

// statement is what was asked of a database.
type statement struct {
	sql  string
	args []any
}

func (s *statement) is(sql string, args []any) bool {
	return s.sql == sql && reflect.DeepEqual(s.args, args)
}

// offline is a database that cannot be asked: what answers from memory alone finds
// out that it cannot.
type offline struct{ refused *statement } // what was asked first, if anything was

var errOffline = errors.New("this is not in memory")

// Query refuses.
func (o *offline) Query(_ context.Context, sql string, args ...any) (pgx.Rows, error) {
	if o.refused == nil {
		o.refused = &statement{sql, args}
	}
	return nil, errOffline
}

// snapshot is one state of the database: a transaction that begins with its first
// statement, and in the same round trip. So does what will most likely be asked next.
type snapshot struct {
	conn  *pgxpool.Conn
	next  *statement // nil: nobody knows
	begun bool
	ended bool
	ahead pgx.BatchResults // what was sent with begin and was not read; nil: nothing
}

// Query asks a statement. The rows must be closed before the next one.
func (s *snapshot) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if !s.begun {
		return s.begin(ctx, sql, args)
	}
	if s.ahead != nil && s.next.is(sql, args) {
		results := s.ahead
		s.ahead = nil
		rows, err := results.Query()
		return lastRows{rows, results}, err
	}
	if err := s.skip(); err != nil {
		return nil, err
	}
	return s.conn.Query(ctx, sql, args...)
}

func (s *snapshot) begin(ctx context.Context, sql string, args []any) (pgx.Rows, error) {
	s.begun = true
	var batch pgx.Batch
	batch.Queue(beginSQL)
	batch.Queue(sql, args...)
	if s.next != nil {
		batch.Queue(s.next.sql, s.next.args...)
	}
	results := s.conn.SendBatch(ctx, &batch)
	if _, err := results.Exec(); err != nil {
		return nil, errors.Join(err, results.Close())
	}
	rows, err := results.Query()
	if s.next == nil || err != nil {
		return lastRows{rows, results}, err
	}
	s.ahead = results
	return rows, nil
}

// skip leaves out what was sent ahead.
func (s *snapshot) skip() error {
	if s.ahead == nil {
		return nil
	}
	results := s.ahead
	s.ahead = nil
	return results.Close()
}

// lastRows is the rows of the last statement that was sent with others.
type lastRows struct {
	pgx.Rows

	all pgx.BatchResults
}

// Close is for when the rows were read, or no more of them are wanted.
func (r lastRows) Close() {
	r.Rows.Close()
	_ = r.all.Close() // what went wrong with the rows is their own error
}

// end ends the transaction, which nobody waits for. To end it again does nothing.
func (s *snapshot) end(ctx context.Context) {
	switch {
	case s.ended:
	case s.begun:
		go s.rollBack(context.WithoutCancel(ctx))
	default:
		s.conn.Release()
	}
	s.ended = true
}

// rollBack ends the transaction before the connection goes back: the next question is to
// find one that knows all statements, rather than to open another.
func (s *snapshot) rollBack(ctx context.Context) {
	defer s.conn.Release() // closes it where it is still in a transaction
	_ = s.skip()
	if status := s.conn.Conn().PgConn().TxStatus(); status == 'I' || s.conn.Conn().IsClosed() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, _ = s.conn.Exec(ctx, endSQL)
}

// snapshot is one state of the database, so that the numbers of an answer agree with each
// other. Next is what will most likely be asked of it after the first statement. Who has
// it must end it.
func (r *Reader) snapshot(ctx context.Context, next *statement) (*snapshot, error) {
	conn, err := r.pool.Acquire(ctx)
	if err != nil {
		return nil, pg.Classify(err)
	}
	return &snapshot{conn: conn, next: next}, nil
}
