package pg

import (
	"context"
	_ "embed"

	"github.com/jackc/pgx/v5"
)

//go:embed check_durability.sql
var checkDurability string

// CheckDurability says in sentences where the server keeps less than is promised:
// that what was acknowledged survives a crash.
func CheckDurability(ctx context.Context, db Querier) (weak []string, err error) {
	rows, err := db.Query(ctx, checkDurability)
	if err != nil {
		return nil, Classify(err)
	}
	var name, setting string
	_, err = pgx.ForEachRow(rows, []any{&name, &setting}, func() error {
		if setting != "on" && setting != "remote_apply" { // which waits for more than on does
			weak = append(weak, "the database's "+name+" is "+setting+": what was acknowledged may not survive a crash")
		}
		return nil
	})
	return weak, Classify(err)
}
