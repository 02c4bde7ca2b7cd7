package access

import (
	"context"
	_ "embed"

	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed personal_read.sql
var personalReadSQL string

// Audit keeps who read what about persons.
type Audit struct{ Pool *pgxpool.Pool }

// PersonalRead writes down that somebody was answered: before the answer goes out,
// so that none goes out that is not written down.
func (a Audit) PersonalRead(ctx context.Context, reader, report, query string, rows int) error {
	_, err := a.Pool.Exec(ctx, personalReadSQL, pgx.StrictNamedArgs{
		"reader": reader, "report": report, "query": query, "rows": rows,
	})
	return pg.Classify(err)
}
