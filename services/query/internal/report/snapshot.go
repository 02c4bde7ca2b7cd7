package report

import (
	"context"
	_ "embed"
	"errors"
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

// source is where an answer comes from.
type source interface {
	pg.Querier
	// send asks several statements at a time, in one round trip.
	send(ctx context.Context, batch *pgx.Batch) (pgx.BatchResults, error)
}

// offline is a database that cannot be asked: what answers from memory alone finds
// out that it cannot.
type offline struct{}

var errOffline = errors.New("this is not in memory")

// Query refuses.
func (offline) Query(context.Context, string, ...any) (pgx.Rows, error) { return nil, errOffline }

func (offline) send(context.Context, *pgx.Batch) (pgx.BatchResults, error) { return nil, errOffline }

// snapshot is one state of the database: a transaction that begins with its first
// statement, and in the same round trip.
type snapshot struct {
	conn  *pgxpool.Conn
	begun bool
}

// Query asks a statement. The rows must be closed before the next one.
func (s *snapshot) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if s.begun {
		return s.conn.Query(ctx, sql, args...)
	}
	s.begun = true
	var batch pgx.Batch
	batch.Queue(beginSQL)
	batch.Queue(sql, args...)
	results := s.conn.SendBatch(ctx, &batch)
	if _, err := results.Exec(); err != nil {
		return nil, errors.Join(err, results.Close())
	}
	rows, err := results.Query()
	return firstRows{rows, results}, err
}

// firstRows is the rows of the first statement, which came with the answer to begin.
type firstRows struct {
	pgx.Rows

	all pgx.BatchResults
}

// Close is for when the rows were read, or no more of them are wanted.
func (r firstRows) Close() {
	r.Rows.Close()
	_ = r.all.Close() // what went wrong with the rows is their own error
}

func (s *snapshot) send(ctx context.Context, batch *pgx.Batch) (pgx.BatchResults, error) {
	return s.conn.SendBatch(ctx, batch), nil
}

// end ends the transaction before the connection goes back: the next question is to
// find one that knows all statements, rather than to open another.
func (s *snapshot) end(ctx context.Context) {
	defer s.conn.Release() // closes it where it is still in a transaction
	if status := s.conn.Conn().PgConn().TxStatus(); status == 'I' || s.conn.Conn().IsClosed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_, _ = s.conn.Exec(ctx, endSQL)
}

// atOnce runs fn on one state of the database, so that the numbers of an answer agree
// with each other.
func (r *Reader) atOnce(ctx context.Context, fn func(*snapshot) error) error {
	conn, err := r.pool.Acquire(ctx)
	if err != nil {
		return pg.Classify(err)
	}
	s := &snapshot{conn: conn}
	defer s.end(ctx)
	return fn(s)
}
