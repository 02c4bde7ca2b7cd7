package apply

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed try_lock.sql
var tryLock string

//go:embed unlock.sql
var unlock string

//go:embed cancel.sql
var cancel string

// lock is the advisory lock that runners queue for. golang-migrate has one of its
// own, which it waits for inside the database: that deadlocks with CREATE INDEX
// CONCURRENTLY, which waits for every transaction. So runners poll this one first,
// and only one ever asks for the other.
const lock int64 = 0x636f776f726b_02

const (
	lockPoll     = 200 * time.Millisecond
	lockReminder = 10 * time.Second
)

// locked runs fn while no other runner does. Where the context ends meanwhile, the
// statement that is running is cancelled.
func locked(ctx context.Context, databaseURL string, progress io.Writer, fn func(*runner) error) error {
	conn, err := connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer closeConn(conn) // and with the session goes the lock, a little later
	if err := waitForLock(ctx, conn, progress); err != nil {
		return err
	}
	defer closeLock(conn)
	name := "migrate " + rand.Text()
	r, err := newRunner(databaseURL, name, progress)
	if err != nil {
		return err
	}
	cancelled := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(cancelled)
		cancelStatement(context.WithoutCancel(ctx), conn, name)
	})
	err = fn(r)
	if !stop() {
		<-cancelled
	}
	return errors.Join(err, r.close())
}

func waitForLock(ctx context.Context, conn *pgx.Conn, progress io.Writer) error {
	poll := time.NewTicker(lockPoll)
	defer poll.Stop()
	for remind := time.Now(); ; {
		var mine bool
		if err := conn.QueryRow(ctx, tryLock, pgx.StrictNamedArgs{"lock": lock}).Scan(&mine); err != nil {
			return fmt.Errorf("waiting for another migration to end: %w", err)
		}
		if mine {
			return nil
		}
		if now := time.Now(); !now.Before(remind) {
			fmt.Fprintln(progress, "waiting for another migration to end")
			remind = now.Add(lockReminder)
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for another migration to end: %w", ctx.Err())
		}
	}
}

func cancelStatement(ctx context.Context, conn *pgx.Conn, name string) {
	ctx, done := context.WithTimeout(ctx, 5*time.Second)
	defer done()
	_, _ = conn.Exec(ctx, cancel, pgx.StrictNamedArgs{"name": name}) // else the statement ends by itself
}

func connect(ctx context.Context, databaseURL string) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		where := "the database"
		if u, parseErr := url.Parse(databaseURL); parseErr == nil {
			where = u.Host + u.Path
		}
		return nil, fmt.Errorf("connecting to %s: %w", where, err)
	}
	return conn, nil
}

// closeLock lets the next runner begin at once: a server takes its time to end a session.
func closeLock(conn *pgx.Conn) {
	ctx, done := context.WithTimeout(context.Background(), 5*time.Second)
	defer done()
	_, _ = conn.Exec(ctx, unlock, pgx.StrictNamedArgs{"lock": lock}) // else it goes with the session
}

func closeConn(conn *pgx.Conn) {
	ctx, done := context.WithTimeout(context.Background(), 5*time.Second)
	defer done()
	_ = conn.Close(ctx) // the server ends the session either way
}
