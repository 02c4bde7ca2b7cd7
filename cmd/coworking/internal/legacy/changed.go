package legacy

import (
	"context"
	_ "embed"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed sql/snapshot.sql
var snapshotSQL string

//go:embed sql/changed_users.sql
var changedUsersSQL string

//go:embed sql/changed_tokens.sql
var changedTokensSQL string

//go:embed sql/user_ids.sql
var userIDsSQL string

//go:embed sql/token_ids.sql
var tokenIDsSQL string

// snapshot is a state of the old database: which transactions it shows.
//
// A row carries the id of the transaction that wrote it (xmin), and ids are given as
// transactions begin to write, not as they commit. So neither the greatest row id nor
// a timestamp says what is new: a transaction with smaller ids may commit last. But
// whatever a later state shows and this one does not was written by a transaction
// that was then under way or had not begun: its id is not below that of the oldest
// one under way, the horizon. The same holds of subtransactions, whose ids are greater
// than those of what they are part of; lists of transactions under way leave them out,
// which is why the horizon is asked for and not whether the snapshot shows a row.
type snapshot struct {
	text    string
	horizon uint32    // 0: before everything
	settled bool      // nobody was writing
	clock   time.Time // of the old database's server
}

// same says that two snapshots show the same, for sure: no transaction was under way
// then, and none has ended since.
func (s snapshot) same(as snapshot) bool { return s.settled && as.settled && s.text == as.text }

// snapshot is the state that the reader reads.
func (r *Reader) snapshot(ctx context.Context) (snapshot, error) {
	var s snapshot
	if err := r.tx.QueryRow(ctx, snapshotSQL).Scan(&s.text, &s.horizon, &s.settled, &s.clock); err != nil {
		return snapshot{}, r.fault(err)
	}
	return s, nil
}

// changedUsers gives the rows of users that were written since a state, and maybe
// others.
func (r *Reader) changedUsers(ctx context.Context, since uint32, each func(User) error) error {
	var u User
	var joined clock
	rows, _ := r.tx.Query(ctx, changedUsersSQL, pgx.StrictNamedArgs{"horizon": since}) // an error comes with the rows
	defer rows.Close()
	for rows.Next() {
		u, joined = User{}, clock{}
		if err := rows.Scan(&u.ID, &u.Name, &joined, &u.Active); err != nil {
			return r.fault(err)
		}
		u.Joined = joined.in(r.zone)
		if err := each(u); err != nil {
			return err
		}
	}
	return r.fault(rows.Err())
}

// changedTokens gives the rows of tokens that were written since a state, and maybe
// others; with each the id of the transaction that wrote it.
func (r *Reader) changedTokens(ctx context.Context, since uint32, each func(Token, uint32) error) error {
	rows, _ := r.tx.Query(ctx, changedTokensSQL, pgx.StrictNamedArgs{"horizon": since}) // an error comes with the rows
	defer rows.Close()
	for rows.Next() {
		var t Token
		var version uint32
		var issued, used clock
		if err := rows.Scan(&t.ID, &t.User, &issued, &used, &version); err != nil {
			return r.fault(err)
		}
		t.Issued, t.Used = issued.in(r.zone), used.in(r.zone)
		if err := each(t, version); err != nil {
			return err
		}
	}
	return r.fault(rows.Err())
}

// ids gives every id of a table.
func (r *Reader) ids(ctx context.Context, sql string, each func(string)) error {
	rows, _ := r.tx.Query(ctx, sql) // an error comes with the rows
	var id string
	_, err := pgx.ForEachRow(rows, []any{&id}, func() error {
		each(id)
		return nil
	})
	return r.fault(err)
}
