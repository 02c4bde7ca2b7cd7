// Package legacy reads the system that this one replaces, and says what it knows
// as events.
package legacy

import (
	"context"
	_ "embed"
	"iter"
	"net"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// connectPatience is how long the old database may take to be found at all.
const connectPatience = 5 * time.Second

//go:embed sql/read_only.sql
var readOnlySQL string

//go:embed sql/count.sql
var countSQL string

//go:embed sql/users.sql
var usersSQL string

//go:embed sql/tokens.sql
var tokensSQL string

// User is a row of users. Joined is by the clock of Zone; nil if the row has none.
type User struct {
	ID     string
	Name   string
	Joined *time.Time
	Active *bool
}

// Token is a row of tokens. User is the id of its user, "" if it has none.
type Token struct {
	ID     string
	User   string
	Issued *time.Time
	Used   *time.Time
}

// Reader reads one state of the old database, whatever is written there meanwhile.
type Reader struct {
	tx   pgx.Tx
	zone *time.Location
}

// Read begins to read an old database, whose timestamps have no zone: they are of
// the zone given. Close ends it.
func Read(ctx context.Context, database pg.URL, zone *time.Location) (*Reader, error) {
	conn, err := connect(ctx, database)
	if err != nil {
		return nil, err
	}
	r, err := begin(ctx, conn, zone)
	if err != nil {
		_ = conn.Close(ctx) // there is an error already
		return nil, err
	}
	return r, nil
}

// connect gives a session in which nothing can be written: neither by a mistake of
// ours, nor by a function that somebody put behind a name of theirs.
func connect(ctx context.Context, database pg.URL) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(string(database))
	if err != nil {
		return nil, fault.Invalid.Errorf("the old database's address %s cannot be read", database)
	}
	config.RuntimeParams["application_name"] = "coworking import"
	config.ConnectTimeout = connectPatience
	config.DialFunc = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3}}).DialContext
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fault.Unavailable.Errorf("the old %w", pg.Classify(err))
	}
	if _, err := conn.Exec(ctx, readOnlySQL); err != nil {
		_ = conn.Close(ctx) // there is an error already
		return nil, fault.Unavailable.Errorf("the old %w", pg.Classify(err))
	}
	return conn, nil
}

// begin takes a snapshot of the database, which all statements of the reader see.
func begin(ctx context.Context, conn *pgx.Conn, zone *time.Location) (*Reader, error) {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, fault.Unavailable.Errorf("the old %w", pg.Classify(err))
	}
	return &Reader{tx: tx, zone: zone}, nil
}

// Close ends the reading; nothing was written.
func (r *Reader) Close(ctx context.Context) {
	_ = r.tx.Rollback(ctx)
	_ = r.tx.Conn().Close(ctx)
}

// Count is how many rows there are to read.
func (r *Reader) Count(ctx context.Context) (users, tokens int64, err error) {
	if err := r.tx.QueryRow(ctx, countSQL).Scan(&users, &tokens); err != nil {
		return 0, 0, r.fault(err)
	}
	return users, tokens, nil
}

// Users is every row of users, in the order of their ids. The last pair may be an
// error.
func (r *Reader) Users(ctx context.Context) iter.Seq2[User, error] {
	return func(yield func(User, error) bool) {
		rows, _ := r.tx.Query(ctx, usersSQL) // an error comes with the rows
		defer rows.Close()
		for rows.Next() {
			var u User
			var joined clock
			if err := rows.Scan(&u.ID, &u.Name, &joined, &u.Active); err != nil {
				yield(u, r.fault(err))
				return
			}
			u.Joined = joined.in(r.zone)
			if !yield(u, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(User{}, r.fault(err))
		}
	}
}

// Tokens is every row of tokens, in the order of their ids. The last pair may be an
// error.
func (r *Reader) Tokens(ctx context.Context) iter.Seq2[Token, error] {
	return func(yield func(Token, error) bool) {
		rows, _ := r.tx.Query(ctx, tokensSQL) // an error comes with the rows
		defer rows.Close()
		for rows.Next() {
			var t Token
			var issued, used clock
			if err := rows.Scan(&t.ID, &t.User, &issued, &used); err != nil {
				yield(t, r.fault(err))
				return
			}
			t.Issued, t.Used = issued.in(r.zone), used.in(r.zone)
			if !yield(t, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Token{}, r.fault(err))
		}
	}
}

// fault says whose database it is that has an error; nil stays nil.
func (r *Reader) fault(err error) error {
	if err == nil {
		return nil
	}
	err = pg.Classify(err)
	return fault.Of(err).Errorf("the old %w", err)
}

// clock is what a wall clock showed; or, where somebody gave the column a zone
// after all, an instant.
type clock struct {
	shown pgtype.Timestamptz
	zoned bool
}

// ScanTimestamp is pgtype.TimestampScanner's.
func (c *clock) ScanTimestamp(v pgtype.Timestamp) error {
	c.shown = pgtype.Timestamptz(v)
	return nil
}

// ScanTimestamptz is pgtype.TimestamptzScanner's.
func (c *clock) ScanTimestamptz(v pgtype.Timestamptz) error {
	c.shown, c.zoned = v, true
	return nil
}

// in is the instant at which a clock in a zone showed that; nil for null. Infinity
// becomes a year that no event can have, so that it is refused where others are.
func (c *clock) in(zone *time.Location) *time.Time {
	if !c.shown.Valid {
		return nil
	}
	t := c.shown.Time
	switch {
	case c.shown.InfinityModifier != pgtype.Finite:
		t = time.Date(9999+int(c.shown.InfinityModifier)*9999, 1, 1, 0, 0, 0, 0, time.UTC)
	case !c.zoned:
		t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone)
	}
	t = t.UTC()
	return &t
}
