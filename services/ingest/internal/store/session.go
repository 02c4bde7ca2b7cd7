package store

import (
	"context"
	"time"

	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// session is what the statements of a transaction are sent on: a connection whose
// transaction begins and ends with statements of its own, or a transaction.
type session interface {
	database
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
	Conn() *pgx.Conn
}

// session runs fn on a connection of its own. Whatever fn does in a transaction that it
// does not commit is rolled back.
func (s *Store) session(ctx context.Context, fn func(session) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return pg.Classify(err)
	}
	defer conn.Release() // closes it where it is still in a transaction
	err = fn(conn)
	if status := conn.Conn().PgConn().TxStatus(); err != nil && status != 'I' && !conn.Conn().IsClosed() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_, _ = conn.Exec(ctx, rollback)
	}
	return err
}

// begin and commit take no round trips of their own: one travels with the first
// statements, the other with the last. Where one of these fails, Postgres leaves out
// those after it, and so the commit.
func (w *writing) begin(context.Context) error {
	w.queue(begin)
	return nil
}

func (w *writing) commit(context.Context) error {
	w.queue(commit)
	return nil
}
