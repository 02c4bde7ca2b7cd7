package pgtest

import (
	"context"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Kinds of what is waited for.
const (
	Statement = "a statement"
	Batch     = "statements that are sent together"
	Copy      = "rows that are copied"
)

// Waits notes how often a pool's connections wait for an answer: each time is a way to
// the database and back.
type Waits struct {
	mu    sync.Mutex
	noted []string
}

// Pool is another pool on the database of a pool, whose waits are noted. It is closed
// when the test ends.
func (w *Waits) Pool(t testing.TB, of *pgxpool.Pool) *pgxpool.Pool {
	t.Helper()
	config := of.Config()
	config.ConnConfig.Tracer = w
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatalf("the test's database: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// Take is what was waited for since it was taken last, in order.
func (w *Waits) Take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	noted := w.noted
	w.noted = nil
	return noted
}

func (w *Waits) note(kind string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noted = append(w.noted, kind)
}

// TraceQueryStart is for pgx, like all below.
func (w *Waits) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	w.note(Statement)
	return ctx
}

// TraceBatchStart notes a batch.
func (w *Waits) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	w.note(Batch)
	return ctx
}

// TraceCopyFromStart notes a copy.
func (w *Waits) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceCopyFromStartData) context.Context {
	w.note(Copy)
	return ctx
}

// TraceQueryEnd notes nothing.
func (*Waits) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchQuery notes nothing: it is part of a batch.
func (*Waits) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd notes nothing.
func (*Waits) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// TraceCopyFromEnd notes nothing.
func (*Waits) TraceCopyFromEnd(context.Context, *pgx.Conn, pgx.TraceCopyFromEndData) {}
