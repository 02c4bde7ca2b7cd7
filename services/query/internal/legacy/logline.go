package legacy

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"time"

	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
)

// LogEvery is how often the old system logged its daily object.
const LogEvery = 30 * time.Second

// logLock is the advisory lock of the one process that logs.
const logLock int64 = 0x636f776f726b_03

//go:embed try_log_lock.sql
var tryLogLockSQL string

// Log writes the daily object to the log at each tick, until the context ends.
// Of all processes on one database one does, the one that holds a lock; when it
// is gone, another takes over with its next tick.
func (r *Reports) Log(ctx context.Context, log *zap.Logger, tick <-chan time.Time) {
	var turn turn
	defer func() { turn.end(ctx) }()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
		ours, err := turn.take(ctx, r.Pool)
		if err == nil && !ours {
			continue
		}
		var body []byte
		if err == nil {
			body, err = r.DailyUsage(ctx)
		}
		switch {
		case err == nil:
			log.Info("daily usage", zap.Reflect("daily_usage", json.RawMessage(bytes.TrimSpace(body))))
		case ctx.Err() == nil:
			log.Warn("daily usage is not logged", zap.Error(err))
		}
	}
}

// turn is the connection whose session holds the lock, nil while another process's
// does.
type turn struct{ conn *pgxpool.Conn }

// take says whether it is this process's turn. A session that broke has lost it.
func (t *turn) take(ctx context.Context, pool *pgxpool.Pool) (bool, error) {
	if t.conn != nil {
		err := t.conn.Ping(ctx)
		if err == nil {
			return true, nil
		}
		t.end(ctx)
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return false, pg.Classify(err)
	}
	rows, err := conn.Query(ctx, tryLogLockSQL, pgx.StrictNamedArgs{"lock": logLock})
	if err != nil {
		conn.Release()
		return false, pg.Classify(err)
	}
	ours, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool])
	if err != nil || !ours {
		conn.Release()
		return false, pg.Classify(err)
	}
	t.conn = conn
	return true, nil
}

// end gives the turn up. The connection is closed, not put back into the pool:
// the lock lives as long as its session.
func (t *turn) end(ctx context.Context) {
	if t.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = t.conn.Hijack().Close(ctx)
	t.conn = nil
}
